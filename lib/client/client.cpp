#include "base/crypto.h"
#include "base/json.h"
#include "base/secret_string.h"
#include "base/utf8.h"
#include "client/transport.h"

#include <fmt/format.h>
#include <oauth3/client.h>

#include <algorithm>
#include <optional>

namespace oauth3 {
namespace {

using base::Json;
using client::Ending;
using client::Exchange;
using client::Moment;
using client::Outcome;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr milliseconds kLongestHold{50'000};  // what a server holds at most (wire 5.5)
constexpr milliseconds kGrace{15'000};        // for an answer that is due, before it is given up
constexpr milliseconds kFirstDelay{200};
constexpr milliseconds kLongestDelay{5'000};
constexpr seconds kLongestRetryAfter{30};
constexpr std::size_t kLongestSentence = 1000;

base::SecretString checked_key(std::string key) {
    const bool fits =
        std::all_of(key.begin(), key.end(), [](char c) { return c > ' ' && c <= '~'; });
    if (!fits) throw std::invalid_argument("the key holds characters that no oauth3 key can hold");
    return base::SecretString(std::move(key));
}

std::string percent_encoded(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                           (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.';
        if (plain) {
            out += c;
        } else {
            out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
        }
    }
    return out;
}

/// The member as text, "" if it is absent or no string.
std::string text_of(const Json& document, const char* name) {
    const auto found = document.find(name);
    return found != document.end() && found->is_string() ? found->get<std::string>() : "";
}

/// Delays between tries: twice as long each time, half of it random, so that many waiting clients
/// do not come back all at once.
class BackOff {
  public:
    milliseconds next() {
        const auto half = static_cast<std::size_t>(delay_.count() / 2);
        const milliseconds out(static_cast<std::int64_t>(half + base::random_below(half + 1)));
        delay_ = std::min(delay_ * 2, kLongestDelay);
        return out;
    }
    void reset() { delay_ = kFirstDelay; }

  private:
    milliseconds delay_ = kFirstDelay;
};

enum class Key { none, agent, owner };

bool is_transient(const Outcome& outcome) {
    return outcome.ending == Ending::network ||
           (outcome.ending == Ending::answered && (outcome.status >= 500 || outcome.status == 429));
}

bool wait_is_over(const std::string& status) {
    return status == "completed" || status == "failed" || status == "denied" ||
           status == "awaiting_secrets";
}

}  // namespace

struct Client::Impl {
    explicit Impl(Options given)
        : url(parse_server_url(given.url)),
          agent_key(checked_key(std::move(given.agent_key))),
          owner_key(checked_key(std::move(given.owner_key))),
          timeout(given.timeout),
          progress(std::move(given.progress)),
          transport(url.loopback, given.interrupt_fd) {}

    ServerUrl url;
    base::SecretString agent_key;
    base::SecretString owner_key;
    milliseconds timeout;
    std::function<void(const Progress&)> progress;
    std::optional<Moment> deadline;
    client::Transport transport;
    /// Some answer came, or a connection was up long enough to wait in vain for one: from then on
    /// the end of the time is a timeout and not an unreachable server.
    bool reached = false;

    Outcome run(const Exchange& exchange) {
        Outcome outcome = transport.run(exchange);
        if (outcome.ending == Ending::answered ||
            (outcome.ending == Ending::deadline && outcome.maybe_sent))
            reached = true;
        return outcome;
    }

    Moment end_of_call() const { return deadline ? *deadline : steady_clock::now() + timeout; }

    Exchange exchange(std::string_view path, Key key) const {
        Exchange out;
        out.url = url.text + std::string(path);
        out.deadline = end_of_call();
        if (key == Key::agent) out.key = &agent_key;
        if (key == Key::owner) out.key = &owner_key;
        return out;
    }

    void report(Progress::Kind kind, std::string text, milliseconds delay = {}) const {
        if (progress) progress({kind, std::move(text), delay, {}});
    }

    /// Waits between two tries; throws if it is interrupted.
    void pause(std::string reason, milliseconds delay, Moment end) const {
        if (!reason.empty()) report(Progress::Kind::retry, std::move(reason), delay);
        if (!transport.sleep_until(std::min(end, steady_clock::now() + delay)))
            throw ClientError(ClientErrorKind::interrupted, "interrupted");
    }

    [[noreturn]] void fail(const Outcome& outcome, bool post) const {
        ClientErrorDetails details;
        details.maybe_sent = post && outcome.maybe_sent;
        const std::string doubt =
            details.maybe_sent ? "; the request may have arrived, and was not sent again" : "";
        switch (outcome.ending) {
            case Ending::interrupted:
                throw ClientError(ClientErrorKind::interrupted, "interrupted" + doubt, details);
            case Ending::deadline:
                throw ClientError(
                    outcome.maybe_sent ? ClientErrorKind::timeout : ClientErrorKind::unreachable,
                    fmt::format("{} did not answer in time{}", url.text, doubt), details);
            case Ending::network:
                details.hint = "Is the server running there? 'oauth3 serve' starts one.";
                throw ClientError(
                    ClientErrorKind::unreachable,
                    fmt::format("cannot reach {}: {}{}", url.text, outcome.reason, doubt), details);
            case Ending::untrusted:
                details.hint = "SSL_CERT_FILE names the certificates to trust.";
                throw ClientError(ClientErrorKind::unreachable,
                                  fmt::format("the certificate of {} cannot be trusted: {}",
                                              url.text, outcome.reason),
                                  details);
            case Ending::garbage:
            case Ending::answered:
                break;
        }
        throw ClientError(
            ClientErrorKind::protocol,
            fmt::format("{} does not answer as an oauth3 server: {}", url.text, outcome.reason),
            details);
    }

    /// The document of an answer of 2xx; throws for any other.
    Json document_of(const Outcome& outcome) const {
        std::optional<Json> document;
        try {
            document = base::parse_json(outcome.body);
        } catch (const base::JsonError&) {
            document.reset();
        }
        if (document && !document->is_object()) document.reset();
        ClientErrorDetails details;
        details.http_status = outcome.status;
        if (outcome.status >= 400) {
            std::string sentence;
            if (document) {
                sentence = base::cut_utf8(text_of(*document, "error"), kLongestSentence);
                details.code = text_of(*document, "code");
                details.hint = base::cut_utf8(text_of(*document, "hint"), kLongestSentence);
                details.json = outcome.body;
            }
            if (sentence.empty())
                sentence = fmt::format("{} answered with HTTP {}", url.text, outcome.status);
            const bool refused_key = outcome.status == 401 || outcome.status == 403;
            throw ClientError(
                refused_key ? ClientErrorKind::authentication : ClientErrorKind::refused, sentence,
                std::move(details));
        }
        if (outcome.status >= 300)
            throw ClientError(ClientErrorKind::protocol,
                              fmt::format("{} answered with a redirect (HTTP {}), which is not "
                                          "followed",
                                          url.text, outcome.status),
                              std::move(details));
        if (!document)
            throw ClientError(
                ClientErrorKind::protocol,
                fmt::format("{} does not answer as an oauth3 server: HTTP {} without a JSON object",
                            url.text, outcome.status),
                std::move(details));
        return *std::move(document);
    }

    [[noreturn]] void missing_member(const char* name) const {
        throw ClientError(ClientErrorKind::protocol,
                          fmt::format("{} does not answer as an oauth3 server: the reply lacks a "
                                      "good \"{}\"",
                                      url.text, name));
    }

    /// One try. `document` gets the parsed reply.
    Reply once(const Exchange& exchange, Json* document = nullptr) {
        Outcome outcome = run(exchange);
        if (outcome.ending != Ending::answered) fail(outcome, exchange.post);
        Json parsed = document_of(outcome);
        if (document != nullptr) *document = std::move(parsed);
        return {outcome.status, std::move(outcome.body)};
    }

    /// Tries until something of the request was sent.
    Reply post_until_sent(const Exchange& exchange, Json& document) {
        BackOff back_off;
        for (;;) {
            Outcome outcome = run(exchange);
            if (outcome.ending == Ending::answered) {
                document = document_of(outcome);
                return {outcome.status, std::move(outcome.body)};
            }
            const bool may_retry = outcome.ending == Ending::network && !outcome.maybe_sent;
            if (!may_retry || steady_clock::now() >= exchange.deadline) fail(outcome, true);
            pause(fmt::format("cannot reach {}: {}", url.text, outcome.reason), back_off.next(),
                  exchange.deadline);
            if (steady_clock::now() >= exchange.deadline) fail(outcome, true);
        }
    }

    Submission submit(std::string_view path, std::string body, std::string idempotency_key) {
        const bool good_key = idempotency_key.size() <= 255 &&
                              std::all_of(idempotency_key.begin(), idempotency_key.end(),
                                          [](char c) { return c > ' ' && c <= '~'; });
        if (!good_key)
            throw std::invalid_argument("an idempotency key has 1 to 255 visible ASCII characters");
        Exchange e = exchange(path, Key::agent);
        e.post = true;
        e.body = std::move(body);
        e.idempotency_key = idempotency_key.empty() ? base::to_hex(base::random_bytes(16))
                                                    : std::move(idempotency_key);
        Json document;
        Submission out;
        out.reply = post_until_sent(e, document);
        out.request_id = text_of(document, "request_id");
        out.status = text_of(document, "status");
        out.session_id = text_of(document, "session_id");
        out.approval_url = text_of(document, "approval_url");
        if (!is_request_id(out.request_id)) missing_member("request_id");
        if (out.status.empty()) missing_member("status");
        return out;
    }

    RequestState state_of(Reply reply, const Json& document, std::string_view id) const {
        RequestState out;
        out.reply = std::move(reply);
        out.request_id = std::string(id);
        out.status = text_of(document, "status");
        out.session_id = text_of(document, "session_id");
        out.approval_url = text_of(document, "approval_url");
        if (out.status.empty()) missing_member("status");
        if (document.contains("request_id") && text_of(document, "request_id") != id)
            missing_member("request_id");
        return out;
    }

    RequestState poll(std::string_view id);
};

namespace {

std::string checked_id(std::string_view id) {
    if (!is_request_id(id)) throw std::invalid_argument("this is not the id of a request");
    return std::string(id);
}

}  // namespace

RequestState Client::Impl::poll(std::string_view id) {
    const Moment end = end_of_call();
    const std::string path = "/execute/" + checked_id(id) + "/status?wait=true&timeout=";
    BackOff back_off;
    std::string last_status;
    for (;;) {
        const Moment start = steady_clock::now();
        const milliseconds left = std::chrono::ceil<milliseconds>(end - start);
        const milliseconds hold = std::clamp(left, milliseconds(1), kLongestHold);
        Exchange e = exchange(path + std::to_string(hold.count()), Key::agent);
        e.deadline = std::min(end, start + hold + kGrace);
        Outcome outcome = run(e);

        milliseconds delay{0};
        std::string reason;
        if (is_transient(outcome) || outcome.ending == Ending::deadline) {
            reason = outcome.ending == Ending::answered
                         ? fmt::format("{} answered with HTTP {}", url.text, outcome.status)
                         : fmt::format("cannot reach {}: {}", url.text, outcome.reason);
            delay = back_off.next();
            if (outcome.retry_after)
                delay = std::max<milliseconds>(delay,
                                               std::min(*outcome.retry_after, kLongestRetryAfter));
        } else {
            if (outcome.ending != Ending::answered) fail(outcome, false);
            const Json document = document_of(outcome);
            RequestState state = state_of({outcome.status, std::move(outcome.body)}, document, id);
            if (wait_is_over(state.status)) return state;
            if (state.status != last_status) report(Progress::Kind::status, state.status);
            last_status = state.status;
            // A server that does not hold the poll must not be asked without a pause.
            if (steady_clock::now() - start < seconds(1)) {
                delay = back_off.next();
            } else {
                back_off.reset();
            }
        }
        if (steady_clock::now() < end) pause(std::move(reason), delay, end);
        if (steady_clock::now() >= end) {
            if (!reached) fail(outcome, false);
            throw ClientError(ClientErrorKind::timeout,
                              "the time is over before there is a result; the request lives on");
        }
    }
}

Client::Client(Options options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;

void Client::set_deadline(std::chrono::steady_clock::time_point deadline) {
    impl_->deadline = deadline;
}

void Client::set_agent_key(std::string key) {
    impl_->agent_key = checked_key(std::move(key));
}

Reply Client::signup(std::string_view name) {
    return signup(NewAgent{std::string(name), {}, {}});
}

Reply Client::signup(const NewAgent& agent) {
    Exchange e = impl_->exchange("/signup", Key::none);
    e.post = true;
    e.body = base::dump_json(Json{{"name", agent.name}});
    Json document;
    Reply reply = impl_->post_until_sent(e, document);
    const std::string key = text_of(document, "api_key");
    try {
        if (key.empty()) throw std::invalid_argument("no key");
        checked_key(key);
    } catch (const std::invalid_argument&) {
        impl_->missing_member("api_key");
    }
    return reply;
}

Submission Client::execute(const ExecuteRequest& request, std::string idempotency_key) {
    Json body{{"skill_code", request.skill_code}};
    if (!request.skill_id.empty()) body["skill_id"] = request.skill_id;
    if (!request.secrets.empty()) body["secrets"] = request.secrets;
    try {
        if (!request.args_json.empty()) body["args"] = base::parse_json(request.args_json);
    } catch (const base::JsonError& error) {
        throw std::invalid_argument(std::string("the args are no JSON: ") + error.what());
    }
    if (!request.session_id.empty()) body["session_id"] = request.session_id;
    return impl_->submit("/execute", base::dump_json(body), std::move(idempotency_key));
}

Submission Client::scope(std::string_view json, std::string idempotency_key) {
    return impl_->submit("/scope", std::string(json), std::move(idempotency_key));
}

RequestState Client::status(std::string_view id, const Caller&) {
    Json document;
    Reply reply = impl_->once(impl_->exchange("/execute/" + checked_id(id) + "/status", Key::agent),
                              &document);
    return impl_->state_of(std::move(reply), document, id);
}

RequestState Client::poll(std::string_view id, const PollOptions&) {
    return impl_->poll(id);
}

Reply Client::cancel(std::string_view id, const Caller&) {
    Exchange e = impl_->exchange("/execute/" + checked_id(id) + "/cancel", Key::agent);
    e.post = true;
    e.body = "{}";
    return impl_->once(e);
}

Page Client::pending(std::string_view before) {
    std::string path = "/requests?status=pending&limit=100";
    if (!before.empty()) path += "&before=" + percent_encoded(before);
    return {impl_->once(impl_->exchange(path, Key::owner)), {}};
}

Reply Client::request(std::string_view id) {
    return impl_->once(impl_->exchange("/requests/" + checked_id(id), Key::owner));
}

Reply Client::decide(std::string_view id, const Decision& decision) {
    Json body{{"action", decision.approve ? "approve" : "deny"}};
    if (!decision.level.empty()) body["level"] = decision.level;
    if (!decision.reason.empty()) body["reason"] = decision.reason;
    Exchange e = impl_->exchange("/requests/" + checked_id(id) + "/decision", Key::owner);
    e.post = true;
    e.body = base::dump_json(body);
    return impl_->once(e);
}

}  // namespace oauth3
