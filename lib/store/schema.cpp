#include "store/schema.h"

namespace oauth3::store {
namespace {

// Times are integer milliseconds since 1970 UTC. Lists and objects are JSON texts.
constexpr const char* kFirst = R"sql(
CREATE TABLE owners (
    id          TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    role        TEXT NOT NULL CHECK (role IN ('owner', 'admin')),
    created_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE tenants (
    id          TEXT PRIMARY KEY,
    owner_id    TEXT NOT NULL REFERENCES owners (id),
    name        TEXT NOT NULL,
    email       TEXT,
    created_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Keys are opaque to clients and stored only as SHA-256. An owner's key has no tenant.
CREATE TABLE keys (
    id          TEXT PRIMARY KEY,
    hash        TEXT NOT NULL UNIQUE,
    owner_id    TEXT NOT NULL REFERENCES owners (id),
    tenant_id   TEXT REFERENCES tenants (id),
    created_at  INTEGER NOT NULL,
    revoked_at  INTEGER
) STRICT, WITHOUT ROWID;

-- Programs by their hash: many requests share one.
CREATE TABLE programs (
    hash        TEXT PRIMARY KEY,
    code        BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE requests (
    seq          INTEGER PRIMARY KEY AUTOINCREMENT,
    id           TEXT NOT NULL UNIQUE,
    kind         TEXT NOT NULL CHECK (kind IN ('execute', 'scope')),
    owner_id     TEXT NOT NULL REFERENCES owners (id),
    tenant_id    TEXT NOT NULL REFERENCES tenants (id),
    session_id   TEXT NOT NULL,
    status       TEXT NOT NULL,
    skill_id     TEXT NOT NULL,
    description  TEXT NOT NULL,
    declared_id  TEXT,
    code_hash    TEXT REFERENCES programs (hash),
    args         TEXT NOT NULL,
    secrets      TEXT NOT NULL,
    networks     TEXT NOT NULL,
    timeout      INTEGER NOT NULL,
    scope        TEXT,
    warnings     TEXT NOT NULL,
    violations   TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    approved_at  INTEGER,
    executed_at  INTEGER,
    completed_at INTEGER,
    authority    TEXT,
    level        TEXT,
    grant_digest TEXT,
    error        TEXT
) STRICT;
CREATE INDEX requests_of_tenant ON requests (tenant_id, seq);
CREATE INDEX requests_of_owner ON requests (owner_id, seq);
CREATE INDEX requests_alive ON requests (status, seq)
    WHERE status IN ('pending', 'approved', 'awaiting_secrets', 'executing');

CREATE TABLE results (
    request_id  TEXT PRIMARY KEY REFERENCES requests (id) ON DELETE CASCADE,
    success     INTEGER NOT NULL,
    stdout      BLOB NOT NULL,
    stderr      BLOB NOT NULL,
    exit_code   INTEGER NOT NULL,
    duration    INTEGER NOT NULL,
    timed_out   INTEGER NOT NULL,
    oom_killed  INTEGER NOT NULL,
    truncated   INTEGER NOT NULL,
    signal      TEXT
) STRICT, WITHOUT ROWID;

-- A client chooses session ids, so they live in their tenant's own name space.
CREATE TABLE sessions (
    tenant_id     TEXT NOT NULL REFERENCES tenants (id),
    id            TEXT NOT NULL,
    owner_id      TEXT NOT NULL REFERENCES owners (id),
    policy        TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    last_activity INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL,
    ended         INTEGER NOT NULL,
    runs_used     INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE ledger (
    owner_id    TEXT NOT NULL REFERENCES owners (id),
    seq         INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    actor       TEXT NOT NULL,
    action      TEXT NOT NULL,
    tenant_id   TEXT,
    request_id  TEXT,
    detail      TEXT NOT NULL,
    prev        TEXT NOT NULL,
    hash        TEXT NOT NULL,
    PRIMARY KEY (owner_id, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX ledger_of_request ON ledger (request_id) WHERE request_id IS NOT NULL;
)sql";

// The service that people log in to: invites, log-ins, replies kept for repeated calls, retention.
constexpr const char* kSecond = R"sql(
-- Invites, log-in links and log-ins are opaque and stored only as SHA-256, like keys.
CREATE TABLE invites (
    id          TEXT PRIMARY KEY,
    hash        TEXT NOT NULL UNIQUE,
    owner_id    TEXT NOT NULL REFERENCES owners (id),
    max_uses    INTEGER NOT NULL,
    uses        INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE login_links (
    hash        TEXT PRIMARY KEY,
    owner_id    TEXT NOT NULL REFERENCES owners (id),
    expires_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A log-in by key ends with its key; one by link has none.
CREATE TABLE logins (
    hash         TEXT PRIMARY KEY,
    owner_id     TEXT NOT NULL REFERENCES owners (id),
    key_id       TEXT REFERENCES keys (id),
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX logins_by_use ON logins (last_used_at);

CREATE TABLE idempotent_replies (
    tenant_id   TEXT NOT NULL REFERENCES tenants (id),
    route       TEXT NOT NULL,
    key         TEXT NOT NULL,
    body_hash   TEXT NOT NULL,
    status      INTEGER NOT NULL,
    reply       TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, route, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotent_replies_by_age ON idempotent_replies (created_at);

CREATE INDEX tenants_of_owner ON tenants (owner_id, created_at);
CREATE INDEX keys_of_owner ON keys (owner_id, created_at);
CREATE INDEX keys_of_tenant ON keys (tenant_id) WHERE tenant_id IS NOT NULL;

ALTER TABLE sessions ADD COLUMN ended_at INTEGER;
ALTER TABLE sessions ADD COLUMN ended_reason TEXT;
CREATE INDEX sessions_of_owner ON sessions (owner_id, last_activity);

CREATE INDEX requests_of_skill ON requests (tenant_id, skill_id, seq) WHERE approved_at IS NOT NULL;
CREATE INDEX requests_of_session ON requests (tenant_id, session_id, seq);
CREATE INDEX requests_of_code ON requests (code_hash);
CREATE INDEX ledger_of_tenant ON ledger (tenant_id, seq) WHERE tenant_id IS NOT NULL;
CREATE INDEX requests_ended ON requests (completed_at) WHERE completed_at IS NOT NULL;
)sql";

// Code that was approved with a scope is approved code, too; deadlines have an index of their own.
constexpr const char* kThird = R"sql(
DROP INDEX requests_of_skill;
CREATE INDEX requests_of_skill ON requests (tenant_id, skill_id, seq)
    WHERE approved_at IS NOT NULL OR (kind = 'scope' AND status = 'completed');

-- What a run used, as the reply tells it: a JSON object.
ALTER TABLE results ADD COLUMN usage TEXT;

-- All that tells what is overdue: in the table these columns lie behind texts of any length.
CREATE INDEX requests_deadlines ON requests (status, expires_at, approved_at, created_at, id)
    WHERE status IN ('pending', 'approved', 'awaiting_secrets', 'executing');
)sql";

// Grants are stored with their approval, sessions and trust are held against the ledger, and code
// is trusted beyond a session.
constexpr const char* kFourth = R"sql(
-- The grant that was approved, and what a human cut from the request for it, as JSON.
ALTER TABLE requests ADD COLUMN granted TEXT;
ALTER TABLE requests ADD COLUMN narrowing TEXT;
-- The second opinion on it: verdict, reason, failed, as JSON.
ALTER TABLE requests ADD COLUMN review TEXT;
CREATE INDEX requests_of_authority ON requests (authority, status)
    WHERE status IN ('approved', 'awaiting_secrets', 'executing');

-- The number of the ledger's event that last changed it, and what of its budgets is used, as JSON.
ALTER TABLE sessions ADD COLUMN ledger_seq INTEGER;
ALTER TABLE sessions ADD COLUMN used TEXT NOT NULL DEFAULT '{}';
-- What an earlier version stored says nothing of rules; sessions live a day at most.
UPDATE sessions SET ended = 1, ended_at = last_activity, ended_reason = 'the server was updated'
    WHERE ended = 0;

-- Code that may run again without being asked for, with exactly these secrets and networks, and
-- these arguments if their hash is given.
CREATE TABLE trust (
    id           TEXT PRIMARY KEY,
    owner_id     TEXT NOT NULL REFERENCES owners (id),
    tenant_id    TEXT NOT NULL REFERENCES tenants (id),
    code_hash    TEXT NOT NULL,
    skill_id     TEXT NOT NULL,
    secrets      TEXT NOT NULL,
    networks     TEXT NOT NULL,
    args_hash    TEXT,
    level        TEXT NOT NULL CHECK (level IN ('24h', 'forever')),
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER,
    last_used_at INTEGER,
    uses         INTEGER NOT NULL,
    ledger_seq   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX trust_of_code ON trust (tenant_id, code_hash);
CREATE INDEX trust_of_owner ON trust (owner_id, created_at);
CREATE INDEX trust_by_end ON trust (expires_at) WHERE expires_at IS NOT NULL;

-- The session, or the trust, that an event tells of: what is stored of it is held against the last.
ALTER TABLE ledger ADD COLUMN subject TEXT;
UPDATE ledger SET subject = json_extract(detail, '$.session_id') WHERE action IN
    ('session.created', 'session.widened', 'session.narrowed', 'session.revoked');
CREATE INDEX ledger_of_subject ON ledger (tenant_id, subject, seq) WHERE subject IS NOT NULL;
-- Events that are hidden from that: of no subject, or of another than they tell. There are none,
-- unless somebody has written into the database.
CREATE INDEX ledger_hidden ON ledger (tenant_id) WHERE action IN
    ('session.created', 'session.widened', 'session.narrowed', 'session.revoked', 'trust.created',
     'trust.revoked') AND coalesce(instr(detail, '_id":"' || subject || '"'), 0) = 0;
)sql";

constexpr const char* kMigrations[] = {kFirst, kSecond, kThird, kFourth};

}  // namespace

std::span<const char* const> migrations() {
    return kMigrations;
}

}  // namespace oauth3::store
