#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace oauth3::notify {

/// What a reviewer may say of a request. It can only take away: no_objection leaves the request
/// what it was, and nothing says yes.
enum class Verdict { no_objection, ask, deny };

struct Opinion {
    Verdict verdict = Verdict::ask;
    /// For people, as the reviewer wrote it: other people's text, to be shown through make_visible.
    std::string reason;
    /// The reviewer could not be asked or gave no proper answer. `verdict` is ask then, and
    /// `reason` says why in one plain sentence.
    bool failed = false;
};

/// A longer answer is no answer.
constexpr std::size_t kMaxAnswerBytes = std::size_t{64} << 10;
/// In characters (code points).
constexpr std::size_t kMaxReason = 500;

/// What stands for an opinion that was not to be had.
Opinion no_opinion(std::string why);

/// Reads what a reviewer answered: exactly one JSON object in UTF-8, without byte order mark,
///     {"verdict": "no_objection" | "ask" | "deny", "reason": string of at most 500 characters}
/// where the reason may be missing. White space around it is allowed. All else is no opinion, other
/// members too: {"verdict":"no_objection","unless":...} must not pass for less than was meant.
/// Whoever denies without a reason gets one. Throws nothing but std::bad_alloc.
Opinion read_opinion(std::string_view answer);

}  // namespace oauth3::notify
