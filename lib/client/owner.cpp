#include "client/impl.h"
#include "client/reading.h"

#include <oauth3/client.h>

// The owner's calls, and those that agents and owners have in common.

namespace oauth3 {

using base::Json;
using client::Call;
using client::Channel;
using client::checked_session_id;
using client::Key;
using client::Query;

namespace {

Call get_call(Key key, std::string path) {
    Call call;
    call.key = key;
    call.path = std::move(path);
    return call;
}

Reply get(Channel& channel, Key key, std::string path) {
    return channel.call(get_call(key, std::move(path))).reply;
}

Page get_page(Channel& channel, Key key, std::string path) {
    return page_of(channel.call(get_call(key, std::move(path))));
}

/// A call that changes something. A DELETE has a body only if `body` is not empty.
Reply change(Channel& channel, Key key, const char* method, std::string path, const Json& body) {
    Call call = get_call(key, std::move(path));
    call.method = method;
    if (call.method == "POST" || !body.empty()) call.body = base::dump_json(body);
    call.repeat = client::Repeat::unsent;
    return channel.call(call).reply;
}

Key key_of(const Caller& caller) {
    return caller.owner ? Key::owner : Key::agent;
}

}  // namespace

Reply Client::sessions(const Caller& caller) {
    return get(impl_->channel, key_of(caller),
               "/sessions" + Query().add("tenant", caller.tenant).text());
}

Reply Client::session(std::string_view id, const Caller& caller) {
    return get(impl_->channel, key_of(caller),
               "/sessions/" + checked_session_id(id) + Query().add("tenant", caller.tenant).text());
}

Reply Client::narrow_session(std::string_view id, std::string_view json, const Caller& caller) {
    Json body = client::object_of(json, "what to narrow is");
    if (!caller.tenant.empty()) body["tenant"] = caller.tenant;
    return change(impl_->channel, key_of(caller), "POST",
                  "/sessions/" + checked_session_id(id) + "/narrow", body);
}

Reply Client::revoke_session(std::string_view id, std::string_view reason, const Caller& caller) {
    Json body = Json::object();
    if (!reason.empty()) body["reason"] = reason;
    return change(
        impl_->channel, key_of(caller), "DELETE",
        "/sessions/" + checked_session_id(id) + Query().add("tenant", caller.tenant).text(), body);
}

Reply Client::trust(const Caller& caller) {
    return get(impl_->channel, key_of(caller),
               "/trust" + Query().add("tenant", caller.tenant).text());
}

Reply Client::revoke_trust(std::string_view id, const Caller& caller) {
    if (!is_request_id(id)) throw std::invalid_argument("this is not the id of a trust");
    return change(impl_->channel, key_of(caller), "DELETE", "/trust/" + std::string(id),
                  Json::object());
}

Reply Client::me(const Caller& caller) {
    return get(impl_->channel, key_of(caller), "/me");
}

Page Client::history(int limit, std::string_view before, const Caller& caller) {
    Query query;
    query.add("limit", limit).add("before", before).add("tenant", caller.tenant);
    return get_page(impl_->channel, key_of(caller), "/history" + query.text());
}

Page Client::pending(std::string_view before) {
    RequestFilter filter;
    filter.status = "pending";
    filter.limit = 100;
    filter.before = before;
    return requests(filter);
}

Page Client::requests(const RequestFilter& filter) {
    Query query;
    query.add("status", filter.status).add("limit", filter.limit);
    query.add("before", filter.before).add("tenant", filter.tenant);
    return get_page(impl_->channel, Key::owner, "/requests" + query.text());
}

Reply Client::request(std::string_view id) {
    Call call = get_call(Key::owner, "/requests/" + client::checked_id(id));
    call.request_id = id;
    return impl_->channel.call(call).reply;
}

Reply Client::backtest(std::string_view id, int limit) {
    Json body = Json::object();
    if (limit > 0) body["limit"] = limit;
    return change(impl_->channel, Key::owner, "POST",
                  "/requests/" + client::checked_id(id) + "/backtest", body);
}

Reply Client::decide(std::string_view id, const Decision& decision) {
    Json body{{"action", decision.approve ? "approve" : "deny"}};
    if (!decision.level.empty()) body["level"] = decision.level;
    if (!decision.reason.empty()) body["reason"] = decision.reason;
    if (decision.pin_args) body["pin_args"] = *decision.pin_args;
    if (decision.any_code) body["any_code"] = *decision.any_code;
    if (!decision.session_digest.empty()) body["session_digest"] = decision.session_digest;
    if (!decision.narrow_json.empty())
        body["narrow"] = client::object_of(decision.narrow_json, "what to narrow is");
    return change(impl_->channel, Key::owner, "POST",
                  "/requests/" + client::checked_id(id) + "/decision", body);
}

Reply Client::tenants() {
    return get(impl_->channel, Key::owner, "/tenants");
}

Reply Client::create_tenant(std::string_view name) {
    return change(impl_->channel, Key::owner, "POST", "/tenants", {{"name", name}});
}

Reply Client::keys(std::string_view tenant) {
    return get(impl_->channel, Key::owner, "/keys" + Query().add("tenant", tenant).text());
}

Reply Client::create_key(std::string_view tenant) {
    Json body = Json::object();
    if (!tenant.empty()) body["tenant"] = tenant;
    return change(impl_->channel, Key::owner, "POST", "/keys", body);
}

Reply Client::create_owner_key() {
    return change(impl_->channel, Key::owner, "POST", "/keys", {{"role", "owner"}});
}

Reply Client::revoke_key(std::string_view key_id) {
    if (!is_request_id(key_id)) throw std::invalid_argument("this is not the id of a key");
    return change(impl_->channel, Key::owner, "DELETE", "/keys/" + std::string(key_id),
                  Json::object());
}

Page Client::audit(const AuditFilter& filter) {
    Query query;
    query.add("limit", filter.limit).add("before", filter.before).add("after", filter.after);
    query.add("tenant", filter.tenant).add("request", filter.request_id);
    return get_page(impl_->channel, Key::owner, "/audit" + query.text());
}

Reply Client::owners() {
    return get(impl_->channel, Key::owner, "/owners");
}

Reply Client::create_owner(std::string_view name) {
    return change(impl_->channel, Key::owner, "POST", "/owners", {{"name", name}});
}

Reply Client::invites() {
    return get(impl_->channel, Key::owner, "/invites");
}

Reply Client::create_invite(int max_uses, std::chrono::seconds expires_in, std::string_view owner) {
    Json body = Json::object();
    if (max_uses > 0) body["max_uses"] = max_uses;
    if (expires_in.count() > 0) body["expires_in"] = expires_in.count();
    if (!owner.empty()) body["owner"] = owner;
    return change(impl_->channel, Key::owner, "POST", "/invites", body);
}

Reply Client::health() {
    Call call = get_call(Key::none, "/health");
    call.may_be_degraded = true;
    return impl_->channel.call(call).reply;
}

LoginLink login_link(const std::string& socket_path, std::chrono::milliseconds timeout) {
    if (socket_path.empty()) throw std::invalid_argument("the path of the socket is empty");
    Client::Options options;
    options.url = "http://localhost";
    options.timeout = timeout;
    Channel channel(std::move(options), socket_path);
    Call call = get_call(Key::none, "/login-link");
    call.method = "POST";
    call.body = "{}";
    call.repeat = client::Repeat::unsent;
    client::Answer answer = channel.call(call);
    LoginLink out;
    out.url = client::text_of(answer.document, "url");
    out.expires_at = client::whole_of(answer.document, "expires_at").value_or(0);
    if (out.url.empty()) client::lacks(answer, "url");
    out.reply = std::move(answer.reply);
    return out;
}

}  // namespace oauth3
