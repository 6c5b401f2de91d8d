// The grammar of a program's header (wire 4.2): what is taken satisfies it, a problem's place lies
// in the text, and nothing behind the leading comment has a say.

#include "base/utf8.h"
#include "fuzz/fuzz.h"
#include "skill/declaration.h"
#include "skill/header.h"
#include "skill/names.h"

#include <algorithm>
#include <string>
#include <vector>

using namespace oauth3;
using fuzz::require;
using skill::Declaration;
using skill::MetadataProblem;

namespace {

/// Where the leading comment ends, read off the wire document once more and apart from lib/skill.
struct Lead {
    std::size_t end = 0;
    bool open = false;  ///< a block comment without its end
};

Lead find_lead(const std::string& code) {
    std::size_t at = code.starts_with("\xEF\xBB\xBF") ? 3 : 0;
    const auto line_end = [&](std::size_t from) {
        return std::min(code.find('\n', from), code.size());
    };
    const auto next_line = [&](std::size_t from) {
        return std::min(line_end(from) + 1, code.size());
    };
    const auto first_ink = [&](std::size_t from) {
        while (from < code.size() && (code[from] == ' ' || code[from] == '\t')) ++from;
        return from;
    };
    if (code.compare(at, 2, "#!") == 0) at = next_line(at);
    while (at < code.size()) {
        const std::size_t ink = first_ink(at);
        const std::size_t end = line_end(at);
        if (ink != end && !(code[ink] == '\r' && ink + 1 == end)) break;
        at = next_line(at);
    }
    std::size_t ink = first_ink(at);
    if (code.compare(ink, 2, "/*") == 0) {
        const std::size_t close = code.find("*/", ink + 2);
        if (close == std::string::npos) return {code.size(), true};
        return {close + 2, false};
    }
    while (at < code.size() && code.compare(first_ink(at), 2, "//") == 0) at = next_line(at);
    return {at, false};
}

/// All but the warnings.
std::string essence(const std::variant<Declaration, MetadataProblem>& parsed) {
    if (const auto* problem = std::get_if<MetadataProblem>(&parsed))
        return fmt::format("{}:{}: {}", problem->line, problem->column, problem->message);
    const auto& d = std::get<Declaration>(parsed);
    std::vector<std::string> networks;
    for (const base::Network& network : d.networks) networks.push_back(network.text());
    return fmt::format("skill={}{} description={} secrets={} networks={} timeout={}",
                       d.skill.has_value(), d.skill.value_or(""), d.description,
                       fmt::join(d.secrets, ","), fmt::join(networks, ","), d.timeout.count());
}

bool is_printable_line(std::string_view text) {
    for (; !text.empty(); text.remove_prefix(base::next_code_point(text).size))
        if (base::is_deceptive(base::next_code_point(text).value)) return false;
    return true;
}

template <typename T>
bool all_differ(std::vector<T> list) {
    std::sort(list.begin(), list.end());
    return std::adjacent_find(list.begin(), list.end()) == list.end();
}

void check(const Declaration& d, const std::string& lead) {
    if (d.skill) {
        const std::size_t length = base::utf8_length(*d.skill);
        require(length >= 1 && length <= 100 && is_printable_line(*d.skill), "@skill", *d.skill);
    }
    require(
        base::utf8_length(d.description) <= 500 && d.description.find('\n') == std::string::npos,
        "@description", d.description);
    require(d.timeout.count() >= 1 && d.timeout.count() <= 3600, "@timeout");
    require(d.secrets.size() <= 32 && all_differ(d.secrets), "@secrets: at most 32, all different");
    for (const std::string& name : d.secrets) {
        require(skill::is_secret_name(name) && !skill::is_reserved_name(name), "@secrets", name);
        require(lead.find(name) != std::string::npos, "a secret stands in the comment", name);
    }
    require(d.networks.size() <= 32 && all_differ(d.networks), "@network: at most 32");
    for (const base::Network& network : d.networks)
        require(base::parse_network(network.text()).network == network, "@network", network.text());
    require(d.warnings.size() <= 20, "warnings are few");
}

void check(const MetadataProblem& problem, const std::string& code) {
    require(!problem.message.empty(), "a problem has a message");
    require(problem.line >= 1 && problem.column >= 1, "places count from 1");
    std::string_view rest = code;
    for (std::size_t line = 1; line < problem.line; ++line) {
        const std::size_t end = rest.find('\n');
        require(end != std::string_view::npos, "the line is one of the text");
        rest.remove_prefix(end + 1);
    }
    require(problem.column <= base::utf8_length(rest.substr(0, rest.find('\n'))),
            "the column is one of the line");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string code(fuzz::as_text(data, size));
    // Only programs get that far; most random bytes are none.
    if (!skill::is_program(code))
        for (char& c : code)
            if (c <= 0) c = static_cast<char>(c == 0 ? ' ' : c & 0x7f);
    if (!skill::is_program(code)) std::replace(code.begin(), code.end(), '\0', ' ');

    const Lead lead = find_lead(code);
    const std::string before = code.substr(0, lead.end);
    const auto parsed = skill::parse(code);
    const std::string essence_of_code = essence(parsed);
    if (const auto* declaration = std::get_if<Declaration>(&parsed)) {
        check(*declaration, before);
        if (before.find('@') == std::string::npos)
            require(essence_of_code == essence(Declaration{}), "no @, no declaration", before);
    } else {
        check(std::get<MetadataProblem>(parsed), code);
    }

    require(essence(skill::parse(before)) == essence_of_code, "only the comment counts", before);
    if (!lead.open) {
        static const std::string kLater =
            "\nlet x = 1;\n// @skill other\n// @secrets EVIL\n// @network evil.example\n"
            "/** @timeout 3600\n * @description other */\n";
        require(essence(skill::parse(code + kLater)) == essence_of_code,
                "nothing after the first code line counts", code);
        require(essence(skill::parse(before + kLater)) == essence_of_code,
                "nothing after the comment counts", before);
    }
    if (code.find('\r') == std::string::npos) {
        std::string windows;
        for (const char c : code) windows += c == '\n' ? std::string("\r\n") : std::string(1, c);
        require(essence(skill::parse(windows)) == essence_of_code, "CRLF reads as LF", code);
    }
    return 0;
}
