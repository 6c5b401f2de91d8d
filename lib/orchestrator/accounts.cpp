#include "orchestrator/accounts.h"

#include "base/crypto.h"
#include "base/error.h"
#include "base/json.h"
#include "store/ledger.h"

namespace oauth3::orchestrator {
namespace {

constexpr const char* kServer = "server";

/// `prefix` and 32 random bytes as 43 characters of base64url (wire 2.1).
base::SecretString make_key(const std::string& prefix) {
    return base::SecretString(prefix + base::to_base64url(base::random_bytes(32)));
}

/// What follows "tenant_" in a tenant's id stands in its keys.
std::string key_prefix(const std::optional<std::string>& tenant_id) {
    if (!tenant_id) return "oauth3_owner_";
    return "oauth3_" + tenant_id->substr(tenant_id->find('_') + 1) + "_";
}

}  // namespace

Accounts::Accounts(store::Database& database, const base::Clock& clock)
    : database_(database), principals_(database), clock_(clock) {}

void Accounts::append(store::Transaction& tx, const std::string& owner_id, const std::string& actor,
                      const std::string& action, const std::optional<std::string>& tenant_id,
                      base::Json detail) {
    store::Ledger::append(
        tx, {clock_.now(), owner_id, actor, action, tenant_id, std::nullopt, std::move(detail)});
}

NewKey Accounts::add_key(store::Transaction& tx, const std::string& owner_id,
                         const std::optional<std::string>& tenant_id) {
    NewKey out;
    out.key = make_key(key_prefix(tenant_id));
    out.row.id = base::make_id("key_");
    out.row.hash = base::sha256_hex(out.key.reveal());
    out.row.owner_id = owner_id;
    out.row.tenant_id = tenant_id;
    out.row.created_at = clock_.now();
    principals_.add_key(tx, out.row, out.row.created_at);
    return out;
}

NewTenant Accounts::add_tenant(store::Transaction& tx, const std::string& owner_id,
                               const std::string& name, const std::optional<std::string>& email) {
    NewTenant out;
    out.row = {base::make_id("tenant_"), owner_id, name, email, clock_.now()};
    principals_.add_tenant(tx, out.row);
    out.key = add_key(tx, owner_id, out.row.id);
    return out;
}

bool Accounts::has_owner() {
    return principals_.first_owner().has_value();
}

void Accounts::create_server_owner(const std::function<void(const base::SecretString&)>& deliver) {
    const std::string id = base::make_id("owner_");
    store::Transaction tx(database_);
    principals_.add_owner(tx, {id, "owner", true, clock_.now()});
    const NewKey made = add_key(tx, id, std::nullopt);
    append(tx, id, kServer, "key.created", std::nullopt, {{"key_id", made.row.id}});
    deliver(made.key);
    tx.commit();
}

NewTenant Accounts::sign_up(const std::string& name, const std::optional<std::string>& email) {
    const auto owner = principals_.first_owner();
    if (!owner) throw base::Error("no_owner", "the server has no owner yet");
    store::Transaction tx(database_);
    NewTenant out = add_tenant(tx, owner->id, name, email);
    append(tx, owner->id, "agent:" + out.row.id, "signup", out.row.id,
           {{"name", name}, {"key_id", out.key.row.id}});
    tx.commit();
    return out;
}

std::optional<NewTenant> Accounts::sign_up_by_invite(const std::string& name,
                                                     const std::optional<std::string>& email,
                                                     std::string_view invite) {
    store::Transaction tx(database_);
    const auto good = principals_.use_invite(tx, base::sha256_hex(invite), clock_.now());
    if (!good) return std::nullopt;
    NewTenant out = add_tenant(tx, good->owner_id, name, email);
    append(tx, good->owner_id, "agent:" + out.row.id, "signup", out.row.id,
           {{"name", name}, {"key_id", out.key.row.id}, {"invite_id", good->id}});
    tx.commit();
    return out;
}

Principal Accounts::dev_agent() {
    const std::string id(kDevTenant);
    auto row = principals_.tenant(id);
    if (!row) {
        const auto owner = principals_.first_owner();
        if (!owner) throw base::Error("no_owner", "the server has no owner yet");
        row = store::TenantRow{id, owner->id, id, std::nullopt, clock_.now()};
        store::Transaction tx(database_);
        principals_.add_tenant(tx, *row);
        append(tx, owner->id, kServer, "signup", id, {{"name", id}});
        tx.commit();
    }
    return {Role::agent, "", row->owner_id, row->id, Via::local};
}

std::optional<store::OwnerRow> Accounts::owner(const Principal& who) {
    return principals_.owner(who.owner_id);
}

std::optional<store::TenantRow> Accounts::tenant(const Principal& who, std::string_view id) {
    auto row = principals_.tenant(id);
    if (!row || row->owner_id != who.owner_id) return std::nullopt;
    if (who.is_agent() && row->id != who.tenant_id) return std::nullopt;
    return row;
}

std::vector<store::TenantRow> Accounts::tenants(const Principal& who) {
    if (!who.is_agent()) return principals_.tenants(who.owner_id);
    std::vector<store::TenantRow> out;
    if (auto own = principals_.tenant(who.tenant_id)) out.push_back(std::move(*own));
    return out;
}

NewTenant Accounts::create_tenant(const Principal& owner, const std::string& name) {
    store::Transaction tx(database_);
    NewTenant out = add_tenant(tx, owner.owner_id, name, std::nullopt);
    append(tx, owner.owner_id, owner.actor(), "key.created", out.row.id,
           {{"name", name}, {"key_id", out.key.row.id}});
    tx.commit();
    return out;
}

std::vector<store::KeyRow> Accounts::keys(const Principal& owner,
                                          const std::optional<std::string>& tenant_id) {
    auto rows = principals_.keys(owner.owner_id);
    if (tenant_id)
        std::erase_if(rows, [&](const store::KeyRow& row) { return row.tenant_id != *tenant_id; });
    return rows;
}

std::optional<NewKey> Accounts::create_key(const Principal& owner, std::string_view tenant_id) {
    const auto tenant = this->tenant(owner, tenant_id);
    if (!tenant) return std::nullopt;
    store::Transaction tx(database_);
    NewKey out = add_key(tx, owner.owner_id, tenant->id);
    append(tx, owner.owner_id, owner.actor(), "key.created", tenant->id, {{"key_id", out.row.id}});
    tx.commit();
    return out;
}

NewKey Accounts::create_owner_key(const Principal& owner) {
    store::Transaction tx(database_);
    NewKey out = add_key(tx, owner.owner_id, std::nullopt);
    append(tx, owner.owner_id, owner.actor(), "key.created", std::nullopt,
           {{"key_id", out.row.id}});
    tx.commit();
    return out;
}

bool Accounts::revoke_key(const Principal& owner, std::string_view id) {
    const auto row = principals_.key(id);
    if (!row || row->owner_id != owner.owner_id) return false;
    store::Transaction tx(database_);
    if (!principals_.revoke_key(tx, id, clock_.now())) return false;
    append(tx, owner.owner_id, owner.actor(), "key.revoked", row->tenant_id, {{"key_id", row->id}});
    tx.commit();
    return true;
}

std::vector<store::OwnerRow> Accounts::owners() {
    return principals_.owners();
}

NewOwner Accounts::create_owner(const Principal& admin, const std::string& name) {
    NewOwner out;
    out.row = {base::make_id("owner_"), name, false, clock_.now()};
    store::Transaction tx(database_);
    principals_.add_owner(tx, out.row);
    out.key = add_key(tx, out.row.id, std::nullopt);
    append(tx, admin.owner_id, admin.actor(), "owner.created", std::nullopt,
           {{"owner_id", out.row.id}, {"name", name}});
    append(tx, out.row.id, admin.actor(), "key.created", std::nullopt,
           {{"key_id", out.key.row.id}});
    tx.commit();
    return out;
}

std::vector<store::InviteRow> Accounts::invites() {
    return principals_.invites();
}

std::optional<NewInvite> Accounts::create_invite(const Principal& admin,
                                                 const std::string& owner_id, std::int64_t max_uses,
                                                 base::Seconds life) {
    if (!principals_.owner(owner_id)) return std::nullopt;
    const base::Time now = clock_.now();
    NewInvite out;
    out.invite = make_key("oauth3_invite_");
    out.row = {base::make_id("invite_"),
               base::sha256_hex(out.invite.reveal()),
               owner_id,
               max_uses,
               0,
               now,
               now + life};
    store::Transaction tx(database_);
    principals_.add_invite(tx, out.row);
    append(tx, admin.owner_id, admin.actor(), "invite.created", std::nullopt,
           {{"invite_id", out.row.id}, {"owner_id", owner_id}, {"max_uses", max_uses}});
    tx.commit();
    return out;
}

}  // namespace oauth3::orchestrator
