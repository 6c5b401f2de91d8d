-- Fills the database of a stopped server with @rows ended runs of its one agent, as if they had
-- happened over the last six days: the request, its result and the four events of its story.
-- Journal and syncing are left out, since a failed fill is thrown away.
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA cache_size = -1000000;
BEGIN;
INSERT OR IGNORE INTO programs (hash, code) VALUES
    ('f82362c946c2088cd59378b5a1d52a606e0860f833efcc7776f6f411299cc5e4', CAST('console.log("filled")' AS BLOB));

CREATE TEMP TABLE story AS
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < @rows)
SELECT i,
       'exec_' || lower(hex(randomblob(8))) AS id,
       'session_' || printf('%016x', i / 100) AS session_id,
       (CAST(strftime('%s', 'now') AS INTEGER) - 6 * 86400) * 1000 + i * 6 * 86400000 / @rows AS at
FROM n;

INSERT INTO requests (id, kind, owner_id, tenant_id, session_id, status, skill_id, description,
    declared_id, code_hash, args, secrets, networks, timeout, warnings, violations, created_at,
    expires_at, approved_at, executed_at, completed_at, authority, level, grant_digest)
SELECT story.id, 'execute', tenants.owner_id, tenants.id, session_id, 'completed',
    'skill-' || (i % 50), 'Reads the open issues and prints a summary', 'skill-' || (i % 50),
    'f82362c946c2088cd59378b5a1d52a606e0860f833efcc7776f6f411299cc5e4',
    '{"REPO":"owner/name","LIMIT":' || (i % 100) || '}', '[]', '["api.github.com"]', 30, '[]', '[]',
    at, at + 86400000, at + 20000, at + 20100, at + 20800, 'human', 'once',
    lower(hex(randomblob(32)))
FROM story, tenants ORDER BY i;

INSERT INTO results (request_id, success, stdout, stderr, exit_code, duration, timed_out, oom_killed,
    truncated)
SELECT id, 1, CAST('12 issues are open, ' || (i % 12) || ' of them new since yesterday' AS BLOB), x'',
    0, 700, 0, 0, 0 FROM story;

INSERT INTO ledger (owner_id, seq, at, actor, action, tenant_id, request_id, detail, prev, hash)
SELECT tenants.owner_id,
    (SELECT max(seq) FROM ledger) + (i - 1) * 4 + step.number,
    at + step.number * 6000, 'owner', step.action, tenants.id, story.id,
    '{"code_hash":"f82362c946c2088cd59378b5a1d52a606e0860f833efcc7776f6f411299cc5e4"}',
    lower(hex(randomblob(32))), lower(hex(randomblob(32)))
FROM story, tenants,
    (SELECT 1 AS number, 'request.created' AS action UNION ALL SELECT 2, 'request.decided'
     UNION ALL SELECT 3, 'request.started' UNION ALL SELECT 4, 'request.finished') AS step
ORDER BY i, step.number;
COMMIT;
PRAGMA journal_mode = WAL;
