#include "orchestrator/settle.h"

#include "base/utf8.h"

#include <fmt/format.h>

#include <cstring>
#include <string_view>

namespace oauth3::orchestrator {
namespace {

constexpr std::string_view kWhite = " \t\n\v\f\r";

std::string_view trim(std::string_view text) {
    const std::size_t first = text.find_first_not_of(kWhite);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kWhite) - first + 1);
}

/// Replacing a bad byte makes a text longer, so the limit is applied again.
std::string clean(std::string_view bytes, bool& truncated) {
    std::string text = base::to_valid_utf8(bytes);
    if (text.size() > kMaxOutput) {
        truncated = true;
        text = std::string(base::cut_utf8(text, kMaxOutput));
    }
    return text;
}

std::string signal_name(int number) {
    const char* name = ::sigabbrev_np(number);
    return name != nullptr ? fmt::format("SIG{}", name) : fmt::format("SIG{}", number);
}

/// What went wrong, for a run whose program itself failed: how its stderr begins, else a reason.
std::string own_error(const store::ResultRow& result, std::string reason) {
    const std::string_view said = trim(result.err);
    return said.empty() ? std::move(reason) : std::string(base::cut_utf8(said, kMaxError));
}

/// What the run used, and who held it to its limits.
base::Json usage_json(const runtime::Usage& usage) {
    base::Json out{{"cpu_ms", (usage.cpu_user + usage.cpu_system).count()},
                   {"peak_memory_bytes", usage.peak_memory_bytes},
                   {"limits",
                    {{"memory", jail::to_string(usage.held.memory)},
                     {"tasks", jail::to_string(usage.held.tasks)},
                     {"disk", jail::to_string(usage.held.disk)},
                     {"cpu_time", jail::to_string(usage.held.cpu_time)}}}};
    if (usage.peak_tasks != 0) out["peak_tasks"] = usage.peak_tasks;
    return out;
}

}  // namespace

Settlement settlement_of(const runtime::Outcome& outcome, base::Seconds timeout) {
    using runtime::Cause;
    Settlement out;
    if (outcome.cause == Cause::setup) {
        out.error = "the sandbox could not be set up";
        return out;
    }
    store::ResultRow result;
    result.truncated = outcome.out_truncated || outcome.err_truncated;
    result.out = clean(outcome.out, result.truncated);
    result.err = clean(outcome.err, result.truncated);
    result.exit_code = outcome.exit_code;
    result.duration = outcome.usage.wall;
    result.usage = usage_json(outcome.usage);
    if (outcome.signal != 0) result.signal = signal_name(outcome.signal);

    switch (outcome.cause) {
        case Cause::finished:
            if (outcome.exit_code == 0) {
                out.status = policy::Status::completed;
                result.success = true;
                result.out = std::string(trim(result.out));
                result.err = std::string(trim(result.err));
            } else {
                out.error = own_error(result, fmt::format("exit code {}", outcome.exit_code));
            }
            break;
        case Cause::signal:
            out.error = own_error(result, fmt::format("ended by {}", *result.signal));
            break;
        case Cause::deadline:
            result.timed_out = true;
            out.error = fmt::format("timed out after {} s", timeout.count());
            break;
        case Cause::memory:
            result.oom_killed = true;
            out.error = "out of memory";
            break;
        case Cause::cancelled:
            out.status = policy::Status::cancelled;
            out.error = "cancelled";
            break;
        case Cause::tripwire:
            out.error = "stopped by the server";
            break;
        case Cause::setup:
            break;
    }
    out.result = std::move(result);
    return out;
}

}  // namespace oauth3::orchestrator
