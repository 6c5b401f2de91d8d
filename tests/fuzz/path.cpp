// The one canonical form of paths, and the patterns on top of it. The first line of the input is a
// request target, the others are up to three patterns.

#include "base/path.h"

#include "base/utf8.h"
#include "fuzz/fuzz.h"
#include "policy/path_pattern.h"
#include "support/path_servers.h"

#include <algorithm>
#include <string>
#include <vector>

using namespace oauth3;
using fuzz::require;
using policy::PathPattern;

namespace {

std::string encoded(std::string_view path) {
    std::string out;
    for (const char c : path) out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    return test::servers::replaced(out, "%2F", "/");
}

bool is_dots(std::string_view segment) {
    segment = segment.substr(0, segment.find(';'));
    return segment == "." || segment == "..";
}

/// The number of segments, and the letters in them that are plain: what no server may change.
std::string skeleton(std::string_view path) {
    std::string out;
    bool in_parameters = false;
    for (const char c : path) {
        if (c == ';') in_parameters = true;
        if (c == '/') in_parameters = false;
        if (c == '/' || (!in_parameters && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))))
            out += c;
    }
    return out;
}

void check_path(std::string_view target, const std::string& path) {
    require(path.starts_with('/') && path.size() <= base::kMaxPath, "a path has a length", path);
    require(base::is_valid_utf8(path), "a path is UTF-8", path);
    require(base::canonical_path(encoded(path)).path == path, "the form is a fixed point", path);
    require(base::canonical_path(std::string(target) + "?/../%2f").path == path,
            "a query makes no other path", path);
    const auto segments = test::servers::split(path.substr(1));
    for (std::size_t i = 0; i < segments.size(); ++i) {
        require(!is_dots(segments[i]), "no segment is resolved", path);
        require(!segments[i].starts_with(';'), "no segment is nothing but parameters", path);
        require(!segments[i].empty() || i + 1 == segments.size(), "only the last is empty", path);
    }
    require(path.find('\\') == std::string::npos, "no backslash", path);
    require(std::none_of(path.begin(), path.end(),
                         [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }),
            "no control character", path);
    // Nothing is left for a second decoding. Only ASCII is compared: the models of folding are made
    // for a few characters, and low bytes of the others can be anything.
    if (std::any_of(path.begin(), path.end(), [](char c) { return (c & 0x80) != 0; })) return;
    static const auto kServers = test::all_servers();
    // Not all of them, since they are slow: every seventh, from another one for every length.
    for (std::size_t i = target.size() % 7; i < kServers.size(); i += 7)
        require(skeleton(test::served_path(target, kServers[i])) == skeleton(path),
                "every server finds the same segments", path);
}

void check_pattern(const PathPattern& pattern, const std::string* path) {
    const std::string text = pattern.text();
    const auto again = PathPattern::parse(text);
    require(std::holds_alternative<PathPattern>(again) && std::get<PathPattern>(again) == pattern,
            "text() reads back", text);
    require(pattern.covers(pattern), "a pattern covers itself", text);
    const PathPattern all = std::get<PathPattern>(PathPattern::parse("/**"));
    require(all.covers(pattern), "/** covers every pattern", text);
    require(!pattern.covers(all) || pattern == all, "only /** covers it", text);
    if (path == nullptr) return;
    require(all.matches(*path), "/** matches every path", *path);
    const auto exact = PathPattern::parse(encoded(*path));
    if (const auto* only = std::get_if<PathPattern>(&exact)) {
        require(only->matches(*path), "a path without a star matches itself", *path);
        require(pattern.covers(*only) == pattern.matches(*path), "a path is a pattern of one",
                text);
    }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view rest = fuzz::as_text(data, size);
    const auto next_line = [&rest] {
        const std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        return line;
    };
    const std::string_view target = next_line();
    const base::PathResult result = base::canonical_path(target);
    require(result.path.has_value() == result.problem.empty(), "a path or a reason", target);
    if (result.path) check_path(target, *result.path);

    std::vector<PathPattern> patterns;
    for (int i = 0; i < 3 && !rest.empty(); ++i) {
        const auto read = PathPattern::parse(next_line());
        if (const auto* problem = std::get_if<std::string>(&read)) {
            require(!problem->empty(), "a pattern or a reason");
            continue;
        }
        patterns.push_back(std::get<PathPattern>(read));
        check_pattern(patterns.back(), result.path ? &*result.path : nullptr);
    }
    for (const PathPattern& a : patterns)
        for (const PathPattern& b : patterns) {
            if (!a.covers(b)) continue;
            require(!result.path || !b.matches(*result.path) || a.matches(*result.path),
                    "what a covered pattern matches is matched", a.text() + " " + b.text());
            for (const PathPattern& c : patterns)
                require(!b.covers(c) || a.covers(c), "covering is transitive",
                        a.text() + " " + b.text() + " " + c.text());
        }
    return 0;
}
