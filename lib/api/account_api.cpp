// Who there is: the caller itself, tenants, keys, owners and invites (wire 2, 9).

#include "api/body.h"
#include "api/metrics.h"
#include "api/refusal.h"
#include "api/routes.h"
#include "base/utf8.h"

#include <algorithm>

namespace oauth3::api {
namespace {

using base::Json;
using orchestrator::Role;

constexpr std::size_t kMaxName = 64;
constexpr std::int64_t kMostInviteUses = 1000;

std::string_view role_word(Role role) {
    switch (role) {
        case Role::agent:
            return "agent";
        case Role::owner:
            return "owner";
        case Role::admin:
            return "admin";
    }
    return "?";
}

Json tenant_json(const store::TenantRow& row) {
    Json out{
        {"tenant_id", row.id}, {"name", row.name}, {"created_at", base::to_millis(row.created_at)}};
    if (row.email) out["email"] = *row.email;
    return out;
}

Json key_json(const store::KeyRow& row) {
    Json out{{"id", row.id},
             {"role", row.tenant_id ? "agent"
                      : row.admin   ? "admin"
                                    : "owner"},
             {"created_at", base::to_millis(row.created_at)},
             {"revoked_at", row.revoked_at ? Json(base::to_millis(*row.revoked_at)) : Json()}};
    if (row.tenant_id) out["tenant_id"] = *row.tenant_id;
    return out;
}

Json owner_json(const store::OwnerRow& row) {
    return {{"id", row.id},
            {"name", row.name},
            {"role", row.admin ? "admin" : "owner"},
            {"created_at", base::to_millis(row.created_at)}};
}

Json invite_json(const store::InviteRow& row) {
    return {{"id", row.id},
            {"owner_id", row.owner_id},
            {"max_uses", row.max_uses},
            {"uses", row.uses},
            {"created_at", base::to_millis(row.created_at)},
            {"expires_at", base::to_millis(row.expires_at)}};
}

template <typename Row>
Json list_json(const char* name, const std::vector<Row>& rows, Json (*item)(const Row&)) {
    Json items = Json::array();
    for (const Row& row : rows) items.push_back(item(row));
    return {{name, std::move(items)}};
}

std::string read_name(const Body& body) {
    const std::string name = body.text("name").value_or("");
    if (name.empty() || base::utf8_length(name) > kMaxName)
        throw bad_field("name", "\"name\" takes 1 to 64 characters.");
    return name;
}

http::Reply me(Service& service, const Principal& who) {
    Json out{{"role", role_word(who.role)}};
    out["key_id"] = who.key_id.empty() ? Json() : Json(who.key_id);
    if (who.is_agent()) {
        const auto row = service.accounts().tenant(who, who.tenant_id);
        if (!row) throw not_found();
        out.update(tenant_json(*row));
        out["plan"] = "free";
        return json_response(200, out);
    }
    const auto row = service.accounts().owner(who);
    if (!row) throw not_found();
    out["owner_id"] = row->id;
    out["name"] = row->name;
    out["created_at"] = base::to_millis(row->created_at);
    out["tenants"] = Json::array();
    for (const store::TenantRow& tenant : service.accounts().tenants(who))
        out["tenants"].push_back({{"tenant_id", tenant.id}, {"name", tenant.name}});
    return json_response(200, out);
}

http::Reply create_tenant(Service& service, const http::Request& request, const Principal& owner) {
    const auto made = service.accounts().create_tenant(owner, read_name(Body(request)));
    Json out = tenant_json(made.row);
    out["key_id"] = made.key.row.id;
    out["api_key"] = made.key.key.reveal();
    return json_response(200, out);
}

http::Reply list_keys(Service& service, const http::Request& request, const Principal& owner) {
    const auto tenant = request.query_value("tenant");
    if (tenant && !service.accounts().tenant(owner, *tenant)) throw not_found();
    return json_response(200, list_json("keys", service.accounts().keys(owner, tenant), &key_json));
}

/// The tenant that a call names; without a name the only one that there is (wire 2.1).
std::string read_tenant(Service& service, const http::Request& request, const Body& body,
                        const Principal& owner) {
    if (auto named = body.named_tenant(request)) return std::move(*named);
    const auto all = service.accounts().tenants(owner);
    if (all.size() != 1)
        throw Refusal(400, "tenant_required", "Say for which tenant.",
                      "GET /tenants lists them; send its id as \"tenant\".");
    return all.front().id;
}

http::Reply create_key(Service& service, const http::Request& request, const Principal& owner) {
    const Body body(request);
    const std::string role = body.text("role").value_or("agent");
    if (role != "agent" && role != "owner")
        throw bad_field("role", "\"role\" must be agent or owner.");
    auto made = role == "owner" ? std::optional(service.accounts().create_owner_key(owner))
                                : service.accounts().create_key(
                                      owner, read_tenant(service, request, body, owner));
    if (!made) throw not_found();
    made->row.admin = !made->row.tenant_id && owner.role == Role::admin;
    Json out = key_json(made->row);
    out["api_key"] = made->key.reveal();
    return json_response(200, out);
}

http::Reply revoke_key(Service& service, const http::Request& request, const Principal& owner) {
    const std::string& id = request.params.at(0);
    if (!service.accounts().revoke_key(owner, id)) throw not_found();
    return json_response(200, {{"deleted", true}, {"id", id}});
}

http::Reply create_owner(Service& service, const http::Request& request, const Principal& admin) {
    const auto made = service.accounts().create_owner(admin, read_name(Body(request)));
    Json out = owner_json(made.row);
    out["key_id"] = made.key.row.id;
    out["api_key"] = made.key.key.reveal();
    return json_response(200, out);
}

http::Reply create_invite(Service& service, const http::Request& request, const Principal& admin) {
    const Body body(request);
    const std::int64_t uses = body.whole("max_uses", 1).value_or(1);
    if (uses > kMostInviteUses) throw bad_field("max_uses", "\"max_uses\" is at most 1000.");
    const base::Seconds life = std::min(
        base::Seconds(body.whole("expires_in", 60).value_or(orchestrator::kInviteLife.count())),
        orchestrator::kLongestInviteLife);
    const auto made = service.accounts().create_invite(
        admin, body.text("owner").value_or(admin.owner_id), uses, life);
    if (!made) throw not_found();
    Json out = invite_json(made->row);
    out["invite"] = made->invite.reveal();
    return json_response(200, out);
}

http::Reply metrics(Service& service) {
    if (!service.config().metrics) throw not_found();
    return metrics_response(service.config().metrics());
}

}  // namespace

void add_account_routes(Service& service, std::vector<Endpoint>& table) {
    using orchestrator::Accounts;
    Accounts& accounts = service.accounts();
    table.push_back({"GET", "/me", Auth::agent_or_owner,
                     [&service](const auto&, auto who) { return me(service, *who); }});
    table.push_back({"GET", "/tenants", Auth::owner, [&accounts](const auto&, auto who) {
                         return json_response(
                             200, list_json("tenants", accounts.tenants(*who), &tenant_json));
                     }});
    table.push_back({"POST", "/tenants", Auth::owner, [&service](const auto& r, auto who) {
                         return create_tenant(service, r, *who);
                     }});
    table.push_back({"GET", "/keys", Auth::owner,
                     [&service](const auto& r, auto who) { return list_keys(service, r, *who); }});
    table.push_back({"POST", "/keys", Auth::owner,
                     [&service](const auto& r, auto who) { return create_key(service, r, *who); }});
    table.push_back({"DELETE", "/keys/:id", Auth::owner,
                     [&service](const auto& r, auto who) { return revoke_key(service, r, *who); }});
    table.push_back({"GET", "/owners", Auth::admin, [&accounts](const auto&, auto) {
                         return json_response(200,
                                              list_json("owners", accounts.owners(), &owner_json));
                     }});
    table.push_back({"POST", "/owners", Auth::admin, [&service](const auto& r, auto who) {
                         return create_owner(service, r, *who);
                     }});
    table.push_back({"GET", "/invites", Auth::admin, [&accounts](const auto&, auto) {
                         return json_response(
                             200, list_json("invites", accounts.invites(), &invite_json));
                     }});
    table.push_back({"POST", "/invites", Auth::admin, [&service](const auto& r, auto who) {
                         return create_invite(service, r, *who);
                     }});
    table.push_back({"GET", "/metrics", Auth::admin,
                     [&service](const auto&, auto) { return metrics(service); }});
}

}  // namespace oauth3::api
