#include "notify/opinion.h"

#include "base/json.h"
#include "base/utf8.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

namespace oauth3::notify {
namespace {

Opinion improper(std::string_view why) {
    return no_opinion(fmt::format("the review command gave no proper answer: {}", why));
}

std::optional<Verdict> verdict_of(const base::Json& value) {
    if (value == "no_objection") return Verdict::no_objection;
    if (value == "ask") return Verdict::ask;
    if (value == "deny") return Verdict::deny;
    return std::nullopt;
}

Opinion read_object(const base::Json& answer) {
    if (!answer.is_object()) return improper("it is not a JSON object");
    for (const auto& [name, value] : answer.items())
        if (name != "verdict" && name != "reason")
            return improper("it has another member than \"verdict\" and \"reason\"");
    const auto named = answer.find("verdict");
    const auto verdict = named == answer.end() ? std::nullopt : verdict_of(*named);
    if (!verdict) return improper(R"("verdict" is none of "no_objection", "ask" and "deny")");

    Opinion opinion;
    opinion.verdict = *verdict;
    if (const auto reason = answer.find("reason"); reason != answer.end()) {
        if (!reason->is_string()) return improper(R"("reason" is not a string)");
        opinion.reason = reason->get<std::string>();
        if (base::utf8_length(opinion.reason) > kMaxReason)
            return improper(fmt::format("\"reason\" is longer than {} characters", kMaxReason));
    }
    if (opinion.verdict == Verdict::deny && opinion.reason.empty())
        opinion.reason = "the review command denied it without a reason";
    return opinion;
}

}  // namespace

Opinion no_opinion(std::string why) {
    return {Verdict::ask, std::move(why), true};
}

Opinion read_opinion(std::string_view answer) {
    if (answer.empty()) return improper("it is empty");
    if (answer.size() > kMaxAnswerBytes)
        return improper(fmt::format("it is larger than {} bytes", kMaxAnswerBytes));
    // The reader of JSON would skip it.
    if (answer.starts_with("\xEF\xBB\xBF")) return improper("it begins with a byte order mark");
    try {
        return read_object(base::parse_json(answer));
    } catch (const base::JsonError& error) {
        return improper(error.what());
    }
}

}  // namespace oauth3::notify
