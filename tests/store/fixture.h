#pragma once

#include "base/crypto.h"
#include "store/principals.h"
#include "store/requests.h"
#include "support/store_checks.h"
#include "support/temporary_folder.h"

namespace oauth3::test {

inline const base::Time kNow = base::from_millis(1'767'225'600'000);
inline const std::string kOwner = "owner_0000000000000001";
inline const std::string kTenant = "tenant_0000000000000001";

inline void add_principals(store::Database& database) {
    store::Principals principals(database);
    store::Transaction tx(database);
    principals.add_owner(tx, {kOwner, "owner", true, kNow});
    principals.add_tenant(tx, {kTenant, kOwner, "agent", std::nullopt, kNow});
    tx.commit();
}

inline store::RequestRow new_request(policy::Kind kind = policy::Kind::execute,
                                     const std::string& code = "code()") {
    store::RequestRow row;
    row.kind = kind;
    row.id = base::make_id(kind == policy::Kind::scope ? "scope_" : "exec_");
    row.owner_id = kOwner;
    row.tenant_id = kTenant;
    row.session_id = "session";
    row.skill_id = "skill";
    row.created_at = kNow;
    row.expires_at = kNow + base::Seconds(60);
    if (kind == policy::Kind::execute) {
        row.code_hash = base::sha256_hex(code);
        row.ask.code_hash = *row.code_hash;
    } else {
        row.scope = policy::Scope{};
    }
    return row;
}

/// Change by the server, with the times that a transition to `to` sets.
inline store::Change change_to(policy::Status to) {
    store::Change change;
    change.actor = "server";
    if (to == policy::Status::approved) change.approved_at = kNow;
    if (to == policy::Status::executing) change.executed_at = kNow;
    if (policy::is_final(to)) change.completed_at = kNow;
    return change;
}

}  // namespace oauth3::test
