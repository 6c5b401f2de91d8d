#pragma once

#include "base/json.h"
#include "base/network.h"
#include "policy/path_pattern.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace oauth3::policy {

/// A set of HTTP methods: those named, or all but those named. Names are upper case (RFC 9110
/// section 9.1: methods are case-sensitive), sorted, without repeats.
struct Methods {
    bool all_but = false;
    std::vector<std::string> names;

    static Methods all() { return {true, {}}; }
    static Methods only(std::vector<std::string> names);
    static Methods but(std::vector<std::string> names);

    bool is_all() const { return all_but && names.empty(); }
    bool has(std::string_view method) const;
    /// True iff all methods of `other` are among these.
    bool covers(const Methods& other) const;

    auto operator<=>(const Methods&) const = default;
    bool operator==(const Methods&) const = default;
};

/// [A-Z][A-Z-]{0,31}
bool is_method_name(std::string_view name);

/// One HTTP request as the egress gate is about to send it.
struct Call {
    std::string host;  ///< canonical (base/network.h)
    std::uint16_t port = 443;
    bool tls = true;
    std::string method;
    std::string path;  ///< canonical (base/path.h), without query
};

/// Which calls are allowed: those to its host, with one of its methods, to one of its paths.
struct Rule {
    std::optional<base::Network> host;  ///< none: every host. Only limits have such rules
    Methods methods = Methods::all();
    std::vector<PathPattern> paths;  ///< sorted, without repeats

    bool matches(const Call& call) const;

    auto operator<=>(const Rule&) const = default;
    bool operator==(const Rule&) const = default;
};

/// Everything on one host: what a network stands for that an approval names without a rule for it.
Rule open_rule(const base::Network& host);

/// True only if every call that `rule` matches is matched by one of `by`. May be false though it is
/// so, as where two rules cover one path pattern only together.
bool covered(const std::vector<Rule>& by, const Rule& rule);

/// {host, methods[], paths[]}; methods are ["*"] for all. A rule without host has no `host`, and
/// one with all methods but some has `except` in place of `methods`.
base::Json to_json(const Rule& rule);
base::Json to_json(const std::vector<Rule>& rules);
/// What to_json wrote; throws Error "corrupt" for anything else.
std::vector<Rule> rules_from_json(const base::Json& json);

/// For people: "GET, HEAD api.github.com /repos/o/r/**".
std::string text_of(const Rule& rule);

}  // namespace oauth3::policy
