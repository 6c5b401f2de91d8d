#include "api/pages/parts.h"

#include "base/utf8.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace oauth3::api::pages {
namespace {

constexpr std::string_view kTime =
    R"(<time datetime="{{machine}}">{{human}} UTC</time> ({{words}}))";
constexpr std::string_view kChip = R"(<span class="chip {{look}}">{{word}}</span>)";
constexpr std::string_view kFact = "<dt>{{name}}</dt><dd>{{value}}</dd>\n";
constexpr std::string_view kList = "<ul>{{items}}</ul>";
constexpr std::string_view kItem = "<li>{{item}}</li>";
constexpr std::string_view kWords = "<bdi>{{text}}</bdi>";
constexpr std::string_view kCode = "<code>{{text}}</code>";
constexpr std::string_view kSection =
    "<section{{look}} aria-labelledby=\"{{id}}-title\"><h2 id=\"{{id}}-title\">{{title}}</h2>\n"
    "{{body}}\n</section>\n";
constexpr std::string_view kPre = "<pre>{{text}}</pre>";

struct Unit {
    std::int64_t seconds;
    std::string_view name;
};
constexpr Unit kUnits[] = {{86400, "day"}, {3600, "hour"}, {60, "minute"}};

}  // namespace

std::string counted(std::size_t n, std::string_view one) {
    std::string digits = std::to_string(n);
    for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, 1, ',');
    return fmt::format("{} {}{}", digits, one, n == 1 ? "" : "s");
}

std::string relative_words(base::Time at, base::Time now) {
    const std::int64_t seconds =
        std::chrono::duration_cast<base::Seconds>(at > now ? at - now : now - at).count();
    for (const Unit& unit : kUnits) {
        if (seconds < unit.seconds) continue;
        const std::string words =
            counted(static_cast<std::size_t>(seconds / unit.seconds), unit.name);
        return at > now ? "in " + words : words + " ago";
    }
    return at > now ? "in less than a minute" : "just now";
}

std::string duration_words(base::Seconds duration) {
    const std::int64_t seconds = duration.count();
    for (const Unit& unit : kUnits)
        if (seconds >= 2 * unit.seconds && seconds % unit.seconds == 0)
            return counted(static_cast<std::size_t>(seconds / unit.seconds), unit.name);
    return fmt::format("{} s", seconds);
}

Html moment(base::Time at, base::Time now) {
    const auto time = std::chrono::floor<base::Seconds>(at);
    const std::tm parts = fmt::gmtime(time.time_since_epoch().count());
    return fill<kTime>({{"machine", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", parts)},
                        {"human", fmt::format("{:%Y-%m-%d %H:%M:%S}", parts)},
                        {"words", relative_words(at, now)}});
}

Html chip(policy::Status status) {
    using policy::Status;
    const auto make = [](std::string_view look, std::string_view word) {
        return fill<kChip>({{"look", look}, {"word", word}});
    };
    switch (status) {
        case Status::pending:
            return make("wait", "waiting");
        case Status::approved:
            return make("", "approved");
        case Status::awaiting_secrets:
            return make("wait", "needs a secret");
        case Status::executing:
            return make("", "running");
        case Status::completed:
            return make("good", "completed");
        case Status::failed:
            return make("bad", "failed");
        case Status::denied:
            return make("bad", "denied");
        case Status::expired:
            return make("bad", "expired");
        case Status::cancelled:
            return make("bad", "cancelled");
    }
    return {};
}

Html fact(std::string_view name, const Html& value) {
    return fill<kFact>({{"name", name}, {"value", value}});
}

Html list(const std::vector<std::string>& items, std::string_view none) {
    if (items.empty()) return none;
    Html out;
    for (const std::string& item : items) out += fill<kItem>({{"item", words(item)}});
    return fill<kList>({{"items", out}});
}

Html code_list(const std::vector<std::string>& items, std::string_view none) {
    if (items.empty()) return none;
    Html out;
    for (const std::string& item : items) out += fill<kItem>({{"item", code_word(item)}});
    return fill<kList>({{"items", out}});
}

Html words(std::string_view text) {
    return fill<kWords>({{"text", text}});
}

Html code_word(std::string_view text) {
    return fill<kCode>({{"text", text}});
}

Html section(std::string_view id, std::string_view title, const Html& body, bool warning) {
    return fill<kSection>({{"look", warning ? " class=\"warn\""_html : Html()},
                           {"id", id},
                           {"title", title},
                           {"body", body}});
}

Html pre(std::string_view text) {
    return fill<kPre>({{"text", Html::lines(text)}});
}

std::string first_characters(std::string_view text, std::size_t count) {
    std::size_t end = 0;
    for (std::size_t n = 0; n < count && end < text.size(); ++n)
        end += base::next_code_point(text.substr(end)).size;
    return std::string(text.substr(0, end)) + (end < text.size() ? "…" : "");
}

}  // namespace oauth3::api::pages
