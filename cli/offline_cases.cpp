#include "cli/offline_cases.h"

#include "base/files.h"
#include "base/members.h"
#include "base/path.h"
#include "base/utf8.h"
#include "cli/command.h"
#include "cli/offline.h"
#include "cli/skill_input.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>
#include <string_view>

namespace oauth3::cli {
namespace {

namespace fs = std::filesystem;
using base::Json;
using base::Malformed;
using base::Members;

/// The server takes bodies of this size (wire 1.2).
constexpr std::size_t kMaxFile = std::size_t{1} << 20;

/// The parts of a URL (RFC 3986) that a rule looks at, as they are written.
struct UrlParts {
    bool tls = true;
    std::string host;
    std::uint16_t port = 0;
    std::string target;  ///< path and query
};

/// nullopt for anything but http and https, with a host and without a user.
std::optional<UrlParts> split_url(std::string_view text) {
    UrlParts out;
    out.tls = text.starts_with("https://");
    if (!out.tls && !text.starts_with("http://")) return std::nullopt;
    text.remove_prefix(out.tls ? 8 : 7);
    text = text.substr(0, text.find('#'));
    std::string_view authority = text.substr(0, text.find_first_of("/?"));
    text.remove_prefix(authority.size());
    // The colons of an IPv6 address stand in brackets.
    const std::size_t colon =
        authority.find(':', authority.starts_with('[') ? authority.find(']') : 0);
    out.port = out.tls ? 443 : 80;
    if (colon != std::string_view::npos) {
        const std::string_view digits = authority.substr(colon + 1);
        const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), out.port);
        if (digits.empty() || read.ec != std::errc() || read.ptr != digits.data() + digits.size())
            return std::nullopt;
    }
    out.host = authority.substr(0, colon);
    if (out.host.empty() || out.host.find('@') != std::string::npos) return std::nullopt;
    out.target = text.starts_with('/') ? "" : "/";
    out.target += text;
    return out;
}

/// A case says exactly what it means: a member that was ignored would look as if it were checked.
void refuse_unknown(const Members& members, const std::set<std::string>& known,
                    const std::string& where) {
    if (const auto more = members.unknown(known); !more.empty())
        throw Malformed(where, fmt::format("\"{}\" is not known here.", more.front()));
}

std::string text_in(const Members& members, const std::string& name) {
    const auto text = members.text(name);
    if (!text || text->empty()) throw Malformed(name, fmt::format("\"{}\" is missing.", name));
    return *text;
}

Json object_in(const Members& members, const std::string& name) {
    const Json* const value = members.find(name);
    if (value == nullptr || !value->is_object())
        throw Malformed(name, fmt::format("\"{}\" must be an object.", name));
    return *value;
}

bool choice(const Members& members, const char* yes, const char* no) {
    const std::string word = text_in(members, "expect");
    if (word != yes && word != no)
        throw Malformed("expect", fmt::format("\"expect\" is \"{}\" or \"{}\".", yes, no));
    return word == yes;
}

/// A file beside the case, or below it: cases are other people's, and must not read the rest.
std::string read_beside(const fs::path& folder, const std::string& name, const std::string& field) {
    const fs::path given(name);
    const bool leaves =
        given.is_absolute() || std::find(given.begin(), given.end(), "..") != given.end();
    const fs::path home = fs::weakly_canonical(folder);
    const fs::path path = fs::weakly_canonical(home / given);
    if (leaves ||
        std::mismatch(home.begin(), home.end(), path.begin(), path.end()).first != home.end())
        throw Malformed(
            field, fmt::format("\"{}\" is not in the folder of the cases.", base::shown(name)));
    try {
        return base::read_file(path, kMaxFile);
    } catch (const base::Error& error) {
        throw Malformed(field, fmt::format("{}.", error.what()));
    }
}

Json read_scope_of(const Members& members, const fs::path& folder) {
    if (members.has("scope") == members.has("scope_file"))
        throw Malformed("scope", "A case has either \"scope\" or \"scope_file\".");
    if (members.has("scope")) return object_in(members, "scope");
    try {
        Json scope =
            base::parse_json(read_beside(folder, text_in(members, "scope_file"), "scope_file"));
        if (scope.is_object()) return scope;
    } catch (const base::JsonError& error) {
        throw Malformed("scope_file", fmt::format("{}.", error.what()));
    }
    throw Malformed("scope_file", "It holds no JSON object.");
}

Json read_request_of(const Members& members, const fs::path& folder) {
    Json out = object_in(members, "request");
    const Members request(out);
    refuse_unknown(request, {"code", "code_file", "args", "secrets"}, "request");
    if (request.has("code") == request.has("code_file"))
        throw Malformed("request", "A request has either \"code\" or \"code_file\".");
    if (request.has("code_file"))
        out["code"] = read_beside(folder, text_in(request, "code_file"), "code_file");
    return out;
}

/// What the gate says, as the word of the wire. A host or path that has no canonical form never
/// gets so far as to be held against a rule.
const char* answer(const policy::Grant& grant, const std::string& method, const UrlParts& url) {
    const auto host = base::canonical_host(url.host);
    const auto path = base::canonical_path(url.target).path;
    if (!host) return "deny:host";
    if (!path) return "deny:rule";
    const policy::Call call{*host, url.port, url.tls, method, *path};
    switch (policy::gate(grant, call)) {
        case policy::Gate::allow:
            return "allow";
        case policy::Gate::deny_host:
            return "deny:host";
        case policy::Gate::deny_rule:
            return "deny:rule";
    }
    return "deny:rule";
}

struct CaseCall {
    std::string method;
    std::string text;
    UrlParts url;
    bool allowed = false;
};

std::vector<CaseCall> read_calls(const Members& members) {
    std::vector<CaseCall> out;
    for (const Json& item : members.items("calls")) {
        if (!item.is_object()) throw Malformed("calls", "A call must be an object.");
        const Members call(item);
        refuse_unknown(call, {"method", "url", "expect"}, "calls");
        CaseCall read{text_in(call, "method"), text_in(call, "url"), {}, false};
        read.allowed = choice(call, "allow", "deny");
        auto url = split_url(read.text);
        if (!url)
            throw Malformed("calls", fmt::format("\"{}\" is no URL with http or https and a host.",
                                                 base::shown(read.text)));
        read.url = std::move(*url);
        if (!policy::is_method_name(read.method))
            throw Malformed("calls", fmt::format("\"{}\" is no method in capital letters.",
                                                 base::shown(read.method)));
        out.push_back(std::move(read));
    }
    return out;
}

std::string lines_of(std::vector<std::string> items) {
    std::sort(items.begin(), items.end());
    return items.empty() ? "none" : fmt::format("{}", fmt::join(items, "; "));
}

void check_case(const Json& document, const fs::path& folder, CaseResult& out) {
    const Members members(document);
    refuse_unknown(members,
                   {"name", "scope", "scope_file", "request", "expect", "violations", "calls"},
                   "case");
    if (const auto name = members.text("name"); name && !name->empty()) out.name = *name;
    const bool fits = choice(members, "fits", "violates");
    if (fits && members.has("violations"))
        throw Malformed("violations", "What fits has no violations.");
    if (!fits && members.has("calls"))
        throw Malformed("calls", "What does not fit makes no calls.");
    const auto calls = read_calls(members);
    const OfflineScope scope = read_offline_scope(read_scope_of(members, folder));
    std::vector<std::string> warnings;
    const policy::Ask run = read_offline_run(read_request_of(members, folder), warnings);

    const OfflineVerdict verdict = check_offline(scope, run);
    out.fits = verdict.grant.has_value();
    out.violations = verdict.violations;
    if (fits && !out.fits) out.problems.push_back("does not fit: " + lines_of(out.violations));
    if (!fits && out.fits) out.problems.push_back("fits");
    if (!fits && !out.fits && members.has("violations")) {
        const std::string expected = lines_of(members.texts("violations"));
        if (const std::string got = lines_of(out.violations); got != expected)
            out.problems.push_back(
                fmt::format("other violations: {}; expected: {}", got, expected));
    }
    if (!verdict.grant) return;
    for (const CaseCall& call : calls) {
        const std::string got = answer(*verdict.grant, call.method, call.url);
        if ((got == "allow") != call.allowed)
            out.problems.push_back(fmt::format("{} {}: {}", call.method, call.text, got));
    }
}

CaseResult run_case(const fs::path& path) {
    CaseResult out;
    out.file = path.filename().string();
    out.name = path.stem().string();
    try {
        const Json document = base::parse_json(base::read_file(path, kMaxFile));
        if (!document.is_object()) throw Malformed("case", "It holds no JSON object.");
        check_case(document, path.parent_path(), out);
    } catch (const Malformed& problem) {
        throw UsageError(fmt::format("{}: {}", path.string(), sentence_of(problem)));
    } catch (const base::Error& error) {
        throw UsageError(fmt::format("{}: {}.", path.string(), error.what()));
    }
    return out;
}

}  // namespace

std::vector<CaseResult> run_cases(const fs::path& folder) {
    std::vector<fs::path> paths;
    std::error_code problem;
    for (fs::directory_iterator entry(folder, problem), end; !problem && entry != end;
         entry.increment(problem))
        if (entry->path().extension() == ".json" && entry->is_regular_file())
            paths.push_back(entry->path());
    if (problem) throw UsageError(fmt::format("{}: {}.", folder.string(), problem.message()));
    if (paths.empty())
        throw UsageError(fmt::format("{} holds no case: no file ends in .json.", folder.string()));
    std::sort(paths.begin(), paths.end());
    std::vector<CaseResult> out;
    for (const fs::path& path : paths) out.push_back(run_case(path));
    return out;
}

Json cases_json(const std::vector<CaseResult>& results) {
    Json cases = Json::array();
    std::size_t passed = 0;
    for (const CaseResult& result : results) {
        cases.push_back({{"file", result.file},
                         {"name", result.name},
                         {"passed", result.passed()},
                         {"got", result.fits ? "fits" : "violates"},
                         {"violations", result.violations},
                         {"problems", result.problems}});
        passed += result.passed() ? 1U : 0U;
    }
    return {{"cases", std::move(cases)}, {"passed", passed}, {"failed", results.size() - passed}};
}

}  // namespace oauth3::cli
