#include "client/channel.h"

#include "base/utf8.h"
#include "client/back_off.h"
#include "client/reading.h"

#include <fmt/format.h>

#include <algorithm>

namespace oauth3::client {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

/// How long one try of a call that may be repeated waits for its answer. A server that is at work
/// on it answers the next try.
constexpr seconds kOneTry{20};
constexpr seconds kLongestRetryAfter{60};
constexpr std::size_t kLongestSentence = 1000;

base::SecretString checked_key(std::string key) {
    if (!fits_header(key))
        throw std::invalid_argument("the key holds characters that no oauth3 key can hold");
    return base::SecretString(std::move(key));
}

std::optional<Json> object_in(const std::string& text) {
    try {
        Json document = base::parse_json(text);
        if (document.is_object()) return document;
    } catch (const base::JsonError&) {
        // Told apart from a refusal by the caller.
    }
    return std::nullopt;
}

std::string sentence_in(const Json& document) {
    return std::string(base::cut_utf8(text_of(document, "error"), kLongestSentence));
}

/// True iff the server has no room for one more undecided request. A human may take a while to
/// make some.
bool is_full(const Outcome& outcome) {
    if (outcome.ending != Ending::answered || outcome.status != 429) return false;
    const auto document = object_in(outcome.body);
    return document && text_of(*document, "code") == "too_many_pending";
}

/// True iff the server may have done what it was asked for, and the outcome does not say so.
bool leaves_doubt(const Outcome& outcome) {
    const bool refused =
        outcome.ending == Ending::answered && outcome.status >= 400 && outcome.status < 500;
    return outcome.maybe_sent && !refused;
}

bool may_repeat(const Outcome& outcome, const Call& call) {
    if (!call.waits_for_room && is_full(outcome)) return false;
    switch (call.repeat) {
        case Repeat::never:
            return false;
        case Repeat::unsent:
            return outcome.ending == Ending::network && !outcome.maybe_sent;
        case Repeat::always:
            return Channel::is_transient(outcome);
    }
    return false;
}

ClientErrorDetails details_of(const Call& call, bool maybe_sent) {
    ClientErrorDetails out;
    out.request_id = call.request_id;
    if (call.leaves_no_trace) return out;
    out.maybe_sent = maybe_sent && call.method != "GET";
    out.idempotency_key = call.idempotency_key;
    return out;
}

std::string repeat_hint(const Call& call) {
    return fmt::format("With the idempotency key {} it can be repeated safely.",
                       call.idempotency_key);
}

}  // namespace

bool fits_header(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

void lacks(const Answer& answer, const char* member) {
    throw ClientError(
        ClientErrorKind::protocol,
        fmt::format("{} does not answer as an oauth3 server: the reply lacks a good \"{}\"",
                    answer.server, member),
        {.request_id = answer.request_id});
}

Channel::Channel(Client::Options options, std::string socket, const Clocks& clocks)
    : agent_key_(checked_key(std::move(options.agent_key))),
      owner_key_(checked_key(std::move(options.owner_key))),
      timeout_(options.timeout),
      waits_for_room_(options.waits_for_room),
      progress_(std::move(options.progress)),
      clocks_(&clocks),
      transport_({.loopback = parse_server_url(options.url).loopback,
                  .unix_socket = socket,
                  .interrupt_fd = options.interrupt_fd},
                 clocks) {
    base_url_ = parse_server_url(options.url).text;
    server_ = socket.empty() ? base_url_ : std::move(socket);
}

void Channel::set_deadline(steady_clock::time_point deadline) {
    deadline_ = clocks_->now() + (deadline - steady_clock::now());
}

void Channel::set_agent_key(std::string key) {
    agent_key_ = checked_key(std::move(key));
}

Channel::OneTime::OneTime(Channel& channel) : channel_(channel), outermost_(!channel.shared_end_) {
    if (outermost_)
        channel.shared_end_ =
            channel.deadline_ ? *channel.deadline_ : channel.now() + channel.timeout_;
}

Channel::OneTime::~OneTime() {
    if (outermost_) channel_.shared_end_.reset();
}

void Channel::report(const Progress& progress) const {
    if (progress_) progress_(progress);
}

Outcome Channel::attempt(const Call& call, Moment end) {
    Exchange exchange;
    exchange.method = call.method;
    exchange.url = base_url_ + call.path;
    exchange.body = call.body;
    exchange.idempotency_key = call.idempotency_key;
    exchange.deadline = end;
    if (call.key == Key::agent) exchange.key = &agent_key_;
    if (call.key == Key::owner) exchange.key = &owner_key_;
    Outcome outcome = transport_.run(exchange);
    // From now on the end of the time is a timeout and not an unreachable server.
    if (outcome.ending == Ending::answered ||
        (outcome.ending == Ending::deadline && outcome.maybe_sent))
        reached_ = true;
    return outcome;
}

bool Channel::is_transient(const Outcome& outcome) {
    return outcome.ending == Ending::network || outcome.ending == Ending::deadline ||
           (outcome.ending == Ending::answered && (outcome.status >= 500 || outcome.status == 429));
}

std::string Channel::describe(const Outcome& outcome) const {
    if (outcome.ending != Ending::answered)
        return fmt::format("cannot reach {}: {}", server_, outcome.reason);
    const auto document = object_in(outcome.body);
    const std::string sentence = document ? sentence_in(*document) : std::string();
    return fmt::format("{} answered with HTTP {}{}{}", server_, outcome.status,
                       sentence.empty() ? "" : ": ", sentence);
}

void Channel::pause(std::string reason, const Outcome& outcome, milliseconds delay, Moment end,
                    const Call& call) const {
    if (outcome.retry_after)
        delay = std::max<milliseconds>(delay, std::min(*outcome.retry_after, kLongestRetryAfter));
    if (!reason.empty()) report({Progress::Kind::retry, std::move(reason), delay, {}});
    if (!transport_.sleep_until(std::min(end, now() + delay)))
        throw ClientError(ClientErrorKind::interrupted, "interrupted",
                          details_of(call, outcome.maybe_sent));
}

Answer Channel::call(const Call& call) {
    const OneTime time(*this);
    BackOff back_off;
    bool maybe_sent = false;
    for (;;) {
        const Moment end =
            call.repeat == Repeat::always ? std::min(time.end(), now() + kOneTry) : time.end();
        Outcome outcome = attempt(call, end);
        maybe_sent = maybe_sent || leaves_doubt(outcome);
        outcome.maybe_sent = maybe_sent;
        if (!may_repeat(outcome, call) || now() >= time.end())
            return read(std::move(outcome), call, maybe_sent);
        pause(describe(outcome), outcome, back_off.next(), time.end(), call);
        if (now() >= time.end()) return read(std::move(outcome), call, maybe_sent);
    }
}

void Channel::fail(const Outcome& outcome, const Call& call, bool maybe_sent) const {
    ClientErrorDetails details = details_of(call, maybe_sent);
    std::string doubt;
    if (details.maybe_sent && call.idempotency_key.empty()) {
        doubt = "; the request may have arrived, and was not sent again";
    } else if (details.maybe_sent) {
        doubt = "; the request may have arrived";
        details.hint = repeat_hint(call);
    }
    const auto hint = [&details](const char* text) {
        if (details.hint.empty()) details.hint = text;
    };
    switch (outcome.ending) {
        case Ending::interrupted:
            throw ClientError(ClientErrorKind::interrupted, "interrupted" + doubt, details);
        case Ending::deadline:
            throw ClientError(
                outcome.maybe_sent ? ClientErrorKind::timeout : ClientErrorKind::unreachable,
                fmt::format("{} did not answer in time{}", server_, doubt), details);
        case Ending::network:
            hint("Is the server running there? 'oauth3 serve' starts one.");
            throw ClientError(ClientErrorKind::unreachable,
                              fmt::format("cannot reach {}: {}{}", server_, outcome.reason, doubt),
                              details);
        case Ending::untrusted:
            hint("SSL_CERT_FILE names the certificates to trust.");
            throw ClientError(
                ClientErrorKind::unreachable,
                fmt::format("the certificate of {} cannot be trusted: {}", server_, outcome.reason),
                details);
        case Ending::garbage:
        case Ending::answered:
            break;
    }
    throw ClientError(
        ClientErrorKind::protocol,
        fmt::format("{} does not answer as an oauth3 server: {}{}", server_, outcome.reason, doubt),
        details);
}

void Channel::refuse(const Outcome& outcome, const Call& call, const std::optional<Json>& document,
                     bool maybe_sent) const {
    // A refusal says what came of the call, but not one that asks to come again later.
    const bool may_change = outcome.status >= 500 || outcome.status == 429;
    ClientErrorDetails details = details_of(call, maybe_sent && may_change);
    details.http_status = outcome.status;
    std::string sentence;
    if (document) {
        sentence = sentence_in(*document);
        details.code = text_of(*document, "code");
        details.hint = base::cut_utf8(text_of(*document, "hint"), kLongestSentence);
        details.json = outcome.body;
    }
    if (sentence.empty())
        sentence = fmt::format("{} answered with HTTP {}", server_, outcome.status);
    if (details.hint.empty() && details.maybe_sent && !details.idempotency_key.empty())
        details.hint = repeat_hint(call);
    const bool refused_key = outcome.status == 401 || outcome.status == 403;
    throw ClientError(refused_key ? ClientErrorKind::authentication : ClientErrorKind::refused,
                      sentence, std::move(details));
}

Answer Channel::read(Outcome outcome, const Call& call, bool maybe_sent) const {
    if (outcome.ending != Ending::answered) fail(outcome, call, maybe_sent);
    std::optional<Json> document = object_in(outcome.body);
    const bool degraded = call.may_be_degraded && outcome.status == 503 && document;
    if (outcome.status >= 400 && !degraded) refuse(outcome, call, document, maybe_sent);
    if (outcome.status < 200 || (outcome.status >= 300 && !degraded)) {
        outcome.reason = fmt::format("HTTP {}, and redirects are not followed", outcome.status);
        outcome.ending = Ending::garbage;
    } else if (!document) {
        outcome.reason = fmt::format("HTTP {} without a JSON object", outcome.status);
        outcome.ending = Ending::garbage;
    }
    if (outcome.ending != Ending::answered) fail(outcome, call, maybe_sent);
    return {
        {outcome.status, std::move(outcome.body)}, *std::move(document), server_, call.request_id};
}

}  // namespace oauth3::client
