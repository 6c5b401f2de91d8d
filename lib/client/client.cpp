#include "base/crypto.h"
#include "client/impl.h"
#include "client/reading.h"
#include "client/waiting.h"

#include <oauth3/client.h>

// The agent's calls, and the making of clients.

namespace oauth3 {

using client::Answer;
using client::Call;
using client::Channel;
using client::Key;
using client::Repeat;
using client::text_of;

std::string new_idempotency_key() {
    return base::to_hex(base::random_bytes(16));
}

Client::Client(Options options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;

Client Client::create(Options options, const NewAgent& agent) {
    Client out(std::move(options));
    if (!out.impl_->channel.has_key()) {
        const Reply reply = out.signup(agent);
        out.set_agent_key(text_of(base::parse_json(reply.json), "api_key"));
    }
    return out;
}

void Client::set_deadline(std::chrono::steady_clock::time_point deadline) {
    impl_->channel.set_deadline(deadline);
}

void Client::set_agent_key(std::string key) {
    impl_->channel.set_agent_key(std::move(key));
}

std::string Client::agent_key() const {
    return impl_->channel.agent_key();
}

const std::string& Client::url() const {
    return impl_->channel.base_url();
}

Reply Client::signup(std::string_view name) {
    NewAgent agent;
    agent.name = name;
    return signup(agent);
}

Reply Client::signup(const NewAgent& agent) {
    base::Json body{{"name", agent.name}};
    if (!agent.email.empty()) body["email"] = agent.email;
    if (!agent.invite.empty()) body["invite"] = agent.invite;
    Call call;
    call.method = "POST";
    call.path = "/signup";
    call.body = base::dump_json(body);
    call.repeat = Repeat::unsent;
    Answer answer = impl_->channel.call(call);
    const std::string key = text_of(answer.document, "api_key");
    if (key.empty() || !client::fits_header(key)) client::lacks(answer, "api_key");
    return std::move(answer.reply);
}

Submission Client::execute(const ExecuteRequest& request, std::string idempotency_key) {
    return submission_of(client::post_once(impl_->channel, "/execute",
                                           base::dump_json(client::body_of(request)),
                                           std::move(idempotency_key)));
}

Submission Client::scope(std::string_view json, std::string idempotency_key) {
    client::object_of(json, "the scope is");
    return submission_of(
        client::post_once(impl_->channel, "/scope", std::string(json), std::move(idempotency_key)));
}

DryRun Client::dry_run(const ExecuteRequest& request) {
    base::Json body = client::body_of(request);
    body["dry_run"] = true;
    Call call = client::submitting_call("/execute", base::dump_json(body), {});
    call.leaves_no_trace = true;
    call.waits_for_room = false;
    return dry_run_of(impl_->channel.call(call));
}

RequestState Client::status(std::string_view id, const Caller& caller) {
    Call call;
    call.request_id = client::checked_id(id);
    call.path = "/execute/" + call.request_id + "/status";
    call.key = caller.owner ? Key::owner : Key::agent;
    return state_of(impl_->channel.call(call), id);
}

RequestState Client::poll(std::string_view id, const PollOptions& options) {
    return client::wait_for_end(impl_->channel, id, options);
}

Reply Client::cancel(std::string_view id, const Caller& caller) {
    Call call;
    call.method = "POST";
    call.request_id = client::checked_id(id);
    call.path = "/execute/" + call.request_id + "/cancel";
    call.key = caller.owner ? Key::owner : Key::agent;
    call.body = "{}";
    call.repeat = Repeat::unsent;
    return impl_->channel.call(call).reply;
}

RequestState Client::execute_and_wait(const ExecuteRequest& request, const PollOptions& options,
                                      std::string idempotency_key) {
    const Channel::OneTime time(impl_->channel);
    const Submission submission = execute(request, std::move(idempotency_key));
    impl_->channel.report(
        {Progress::Kind::submitted, submission.request_id, {}, submission.approval_url});
    return poll(submission.request_id, options);
}

ScopedRun Client::scope_and_execute(std::string_view scope_json, const ExecuteRequest& request,
                                    const PollOptions& options, std::string idempotency_key) {
    const Channel::OneTime time(impl_->channel);
    base::Json body = client::object_of(scope_json, "the scope is");
    if (!body.contains("skill_code") && !request.skill_code.empty())
        body["skill_code"] = request.skill_code;
    if (!body.contains("session_id") && !request.session_id.empty())
        body["session_id"] = request.session_id;
    client::body_of(request);  // what could never be executed is told before a human is asked
    // One key for both submissions: whichever is in doubt, the error names the key that goes on.
    if (idempotency_key.empty()) idempotency_key = new_idempotency_key();
    const Submission submission = scope(base::dump_json(body), idempotency_key);
    impl_->channel.report(
        {Progress::Kind::submitted, submission.request_id, {}, submission.approval_url});
    ScopedRun out;
    out.scope = poll(submission.request_id, options);
    if (out.scope.status != "completed") return out;
    ExecuteRequest inside = request;
    inside.session_id = out.scope.session_id.empty() ? submission.session_id : out.scope.session_id;
    out.run = execute_and_wait(inside, options, std::move(idempotency_key));
    return out;
}

}  // namespace oauth3
