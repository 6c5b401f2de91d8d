#include "orchestrator/access.h"

#include "base/crypto.h"
#include "base/error.h"
#include "store/ledger.h"

namespace oauth3::orchestrator {
namespace {

/// `prefix` and 32 random bytes as 43 characters of base64url (wire 2.1).
base::SecretString make_key(const std::string& prefix) {
    return base::SecretString(prefix + base::to_base64url(base::random_bytes(32)));
}

}  // namespace

std::string Principal::actor() const {
    return is_agent() ? "agent:" + tenant_id : "owner:" + owner_id;
}

Access::Access(store::Database& database, const base::Clock& clock, base::SecretString link_key)
    : database_(database), principals_(database), clock_(clock), link_key_(std::move(link_key)) {}

bool Access::has_owner() {
    return principals_.first_owner().has_value();
}

void Access::create_owner(const std::function<void(const base::SecretString&)>& deliver) {
    const base::Time now = clock_.now();
    const std::string id = base::make_id("owner_");
    const base::SecretString key = make_key("oauth3_owner_");
    const std::string key_id = base::make_id("key_");
    store::Transaction tx(database_);
    principals_.add_owner(tx, {id, "owner", true, now});
    principals_.add_key(tx, {key_id, base::sha256_hex(key.reveal()), id, std::nullopt}, now);
    store::Ledger::append(
        tx, {now, id, "server", "key.created", std::nullopt, std::nullopt, {{"key_id", key_id}}});
    deliver(key);
    tx.commit();
}

SignedUp Access::sign_up(const std::string& name, const std::optional<std::string>& email) {
    const base::Time now = clock_.now();
    const auto owner = principals_.first_owner();
    if (!owner) throw base::Error("no_owner", "the server has no owner yet");
    SignedUp out;
    out.tenant_id = base::make_id("tenant_");
    out.key = make_key("oauth3_" + out.tenant_id.substr(std::string("tenant_").size()) + "_");
    const std::string key_id = base::make_id("key_");
    store::Transaction tx(database_);
    principals_.add_tenant(tx, {out.tenant_id, owner->id, name, email, now});
    principals_.add_key(tx, {key_id, base::sha256_hex(out.key.reveal()), owner->id, out.tenant_id},
                        now);
    store::Ledger::append(tx, {now,
                               owner->id,
                               "agent:" + out.tenant_id,
                               "signup",
                               out.tenant_id,
                               std::nullopt,
                               {{"name", name}, {"key_id", key_id}}});
    tx.commit();
    return out;
}

std::optional<Principal> Access::authenticate(std::string_view key) {
    const std::string hash = base::sha256_hex(key);
    const auto row = principals_.key_by_hash(hash);
    if (!row || !base::equal_constant_time(row->hash, hash)) return std::nullopt;
    const Role role = row->tenant_id ? Role::agent : Role::admin;
    return Principal{role, row->id, row->owner_id, row->tenant_id.value_or("")};
}

std::string Access::approval_token(std::string_view request_id) const {
    return base::hmac_sha256_hex(link_key_.reveal(), request_id);
}

bool Access::opens(std::string_view token, std::string_view request_id) const {
    return base::equal_constant_time(token, approval_token(request_id));
}

std::string Access::tenant_name(std::string_view tenant_id) {
    const auto row = principals_.tenant(tenant_id);
    return row ? row->name : std::string();
}

}  // namespace oauth3::orchestrator
