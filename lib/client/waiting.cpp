#include "client/waiting.h"

#include "client/back_off.h"
#include "client/reading.h"

#include <algorithm>

namespace oauth3::client {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kLongestHold{50'000};  // what a server holds at most (wire 5.5)
constexpr milliseconds kGrace{15'000};        // for an answer that is due, before it is given up

bool is_over(const std::string& status, bool until_final) {
    return status == "completed" || status == "failed" || status == "denied" ||
           (status == "awaiting_secrets" && !until_final);
}

}  // namespace

Call submitting_call(std::string path, std::string body, std::string idempotency_key) {
    if (idempotency_key.size() > 255 || !fits_header(idempotency_key))
        throw std::invalid_argument("an idempotency key has 1 to 255 visible ASCII characters");
    Call call;
    call.method = "POST";
    call.path = std::move(path);
    call.key = Key::agent;
    call.body = std::move(body);
    call.idempotency_key =
        idempotency_key.empty() ? new_idempotency_key() : std::move(idempotency_key);
    call.repeat = Repeat::always;
    return call;
}

Answer post_once(Channel& channel, std::string path, std::string body,
                 std::string idempotency_key) {
    Call call = submitting_call(std::move(path), std::move(body), std::move(idempotency_key));
    call.waits_for_room = channel.waits_for_room();
    return channel.call(call);
}

RequestState wait_for_end(Channel& channel, std::string_view id, const PollOptions& options) {
    Call call;
    call.key = options.caller.owner ? Key::owner : Key::agent;
    call.request_id = checked_id(id);
    const std::string path = "/execute/" + call.request_id + "/status?wait=true" +
                             (options.until_final ? "&until=final" : "") + "&timeout=";

    const Channel::OneTime time(channel);
    const Moment end = time.end();
    BackOff back_off;
    std::string last_status;
    for (;;) {
        const Moment start = channel.now();
        const milliseconds left = std::chrono::ceil<milliseconds>(end - start);
        const milliseconds hold = std::clamp(left, milliseconds(1), kLongestHold);
        call.path = path + std::to_string(hold.count());
        Outcome outcome = channel.attempt(call, std::min(end, start + hold + kGrace));

        milliseconds delay{0};
        std::string reason;
        if (Channel::is_transient(outcome)) {
            reason = channel.describe(outcome);
            delay = back_off.next();
        } else {
            RequestState state = state_of(channel.read(std::move(outcome), call, false), id);
            outcome = {};
            if (is_over(state.status, options.until_final)) return state;
            if (state.status != last_status)
                channel.report({Progress::Kind::status, state.status, {}, {}});
            last_status = state.status;
            // A server that does not hold the poll must not be asked without a pause.
            if (channel.now() - start < seconds(1)) {
                delay = back_off.next();
            } else {
                back_off.reset();
            }
        }
        if (channel.now() < end) channel.pause(std::move(reason), outcome, delay, end, call);
        if (channel.now() >= end) {
            if (!channel.reached()) channel.read(std::move(outcome), call, false);
            ClientErrorDetails details;
            details.request_id = call.request_id;
            throw ClientError(ClientErrorKind::timeout,
                              "the time is over before there is a result; the request lives on",
                              std::move(details));
        }
    }
}

}  // namespace oauth3::client
