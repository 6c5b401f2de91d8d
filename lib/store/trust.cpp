#include "store/trust.h"

#include "base/crypto.h"
#include "base/json.h"
#include "policy/sets.h"
#include "store/columns.h"
#include "store/ledger.h"

#include <fmt/format.h>

#include <algorithm>

namespace oauth3::store {
namespace {

using Texts = std::vector<std::string>;

constexpr const char* kColumns =
    "id, owner_id, tenant_id, code_hash, skill_id, secrets, networks, args_hash, level, "
    "created_at, expires_at, last_used_at, uses, ledger_seq";

TrustRow read_row(SQLite::Statement& query) {
    TrustRow out;
    out.id = text(query, 0);
    out.owner_id = text(query, 1);
    out.tenant_id = text(query, 2);
    out.code_hash = text(query, 3);
    out.skill_id = text(query, 4);
    out.secrets = base::parse_json(text(query, 5)).get<Texts>();
    out.networks = base::parse_json(text(query, 6)).get<Texts>();
    out.args_hash = optional_text(query, 7);
    out.level = text(query, 8);
    out.created_at = time(query, 9);
    out.expires_at = optional_time(query, 10);
    out.last_used_at = optional_time(query, 11);
    out.uses = query.getColumn(12).getInt64();
    out.ledger_seq = query.getColumn(13).getInt64();
    return out;
}

/// What the ledger keeps of it: all that decides what it allows.
base::Json detail_of(const TrustRow& row) {
    base::Json out{{"trust_id", row.id},         {"level", row.level},
                   {"code_hash", row.code_hash}, {"secrets", row.secrets},
                   {"networks", row.networks},   {"args_hash", nullptr},
                   {"expires_at", nullptr}};
    if (row.args_hash) out["args_hash"] = *row.args_hash;
    if (row.expires_at) out["expires_at"] = base::to_millis(*row.expires_at);
    return out;
}

}  // namespace

TrustRow trust_of(const policy::Grant& grant, bool pin_args) {
    TrustRow out;
    out.code_hash = grant.code_hash;
    out.secrets = grant.secrets;
    out.networks = policy::texts_of(grant.networks);
    std::sort(out.networks.begin(), out.networks.end());
    if (pin_args) out.args_hash = base::sha256_hex(base::dump_json(grant.args));
    return out;
}

void Trust::put(Transaction& tx, TrustRow& row, const std::string& request_id,
                const std::string& actor) {
    const std::string secrets = base::dump_json(row.secrets);
    const std::string networks = base::dump_json(row.networks);
    {
        Prepared earlier(tx.database(),
                         "DELETE FROM trust WHERE tenant_id = ? AND code_hash = ? AND secrets = ? "
                         "AND networks = ? AND args_hash IS ? RETURNING id");
        SQLite::bind(earlier, row.tenant_id, row.code_hash, secrets, networks);
        bind_optional(earlier, 5, row.args_hash);
        while (earlier.executeStep()) row.id = text(earlier, 0);
    }
    row.ledger_seq = Ledger::append(tx, {row.created_at, row.owner_id, actor, "trust.created",
                                         row.tenant_id, request_id, detail_of(row)});
    Prepared insert(
        tx.database(),
        fmt::format("INSERT INTO trust ({}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)", kColumns));
    SQLite::bind(insert, row.id, row.owner_id, row.tenant_id, row.code_hash, row.skill_id, secrets,
                 networks);
    bind_optional(insert, 8, row.args_hash);
    insert.bind(9, row.level);
    insert.bind(10, base::to_millis(row.created_at));
    bind_optional(insert, 11, row.expires_at);
    bind_optional(insert, 12, row.last_used_at);
    insert.bind(13, row.uses);
    insert.bind(14, row.ledger_seq);
    insert.exec();
}

bool Trust::is_as_approved(const TrustRow& row) {
    const auto event = Ledger(database_).at(row.owner_id, row.ledger_seq);
    return event && event->action == "trust.created" && event->tenant_id == row.tenant_id &&
           event->detail == detail_of(row) &&
           // Else what was revoked since could be put back.
           !Ledger(database_).has_later(row.tenant_id, row.id, event->seq);
}

std::optional<TrustRow> Trust::match(std::string_view tenant_id, const policy::Grant& grant,
                                     base::Time now) {
    const TrustRow key = trust_of(grant, true);
    Prepared query(database_,
                   fmt::format("SELECT {} FROM trust WHERE tenant_id = ? AND code_hash = ? AND "
                               "secrets = ? AND networks = ? AND (args_hash IS NULL OR "
                               "args_hash = ?) AND (expires_at IS NULL OR expires_at > ?)",
                               kColumns));
    query.bind(1, std::string(tenant_id));
    query.bind(2, key.code_hash);
    query.bind(3, base::dump_json(key.secrets));
    query.bind(4, base::dump_json(key.networks));
    query.bind(5, *key.args_hash);
    query.bind(6, base::to_millis(now));
    while (query.executeStep())
        if (TrustRow row = read_row(query); is_as_approved(row)) return row;
    return std::nullopt;
}

std::optional<TrustRow> Trust::find(std::string_view id) {
    Prepared query(database_, fmt::format("SELECT {} FROM trust WHERE id = ?", kColumns));
    query.bind(1, std::string(id));
    if (!query.executeStep()) return std::nullopt;
    return read_row(query);
}

std::vector<TrustRow> Trust::living(std::string_view owner_id,
                                    const std::optional<std::string>& tenant_id, base::Time now) {
    Prepared query(database_, fmt::format("SELECT {} FROM trust WHERE owner_id = ?1 AND "
                                          "(?2 IS NULL OR +tenant_id = ?2) AND "
                                          "(expires_at IS NULL OR expires_at > ?3) "
                                          "ORDER BY created_at DESC, id",
                                          kColumns));
    query.bind(1, std::string(owner_id));
    bind_optional(query, 2, tenant_id);
    query.bind(3, base::to_millis(now));
    std::vector<TrustRow> out;
    while (query.executeStep()) out.push_back(read_row(query));
    return out;
}

void Trust::count_use(Transaction& tx, std::string_view id, base::Time now) {
    Prepared update(tx.database(),
                    "UPDATE trust SET uses = uses + 1, "
                    "last_used_at = max(coalesce(last_used_at, 0), ?) WHERE id = ?");
    update.bind(1, base::to_millis(now));
    update.bind(2, std::string(id));
    update.exec();
}

void Trust::remove(Transaction& tx, const TrustRow& row, const std::string& actor, base::Time now) {
    Prepared remove(tx.database(), "DELETE FROM trust WHERE id = ?");
    remove.bind(1, row.id);
    remove.exec();
    Ledger::append(tx, {now,
                        row.owner_id,
                        actor,
                        "trust.revoked",
                        row.tenant_id,
                        std::nullopt,
                        {{"trust_id", row.id}, {"code_hash", row.code_hash}}});
}

}  // namespace oauth3::store
