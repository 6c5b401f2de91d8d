#include "api/pages/scope_view.h"

#include "api/pages/parts.h"

#include <algorithm>

namespace oauth3::api::pages {
namespace {

constexpr std::string_view kConstraints = "<ul class=\"plain\">{{items}}</ul>";
constexpr std::string_view kConstraint =
    "<li class=\"field\"><span class=\"tag {{look}}\">{{kind}}</span> {{text}}"
    "<br><span class=\"help\">{{means}}</span></li>";
constexpr std::string_view kNone = "<p class=\"none\">{{text}}</p>";
constexpr std::string_view kFacts = "<dl class=\"facts\">{{facts}}</dl>";

template <typename T>
bool holds(const std::vector<T>& list, const T& item) {
    return std::find(list.begin(), list.end(), item) != list.end();
}

bool covered(const std::vector<base::Network>& by, const base::Network& network) {
    return std::any_of(by.begin(), by.end(),
                       [&network](const base::Network& n) { return n.covers(network); });
}

Html constraint(const policy::Constraint& c) {
    switch (c.kind) {
        case policy::ConstraintClass::enforced:
            return fill<kConstraint>({{"look", ""},
                                      {"kind", "ENFORCED"},
                                      {"text", c.text},
                                      {"means", "oauth3 holds it to: " + c.compiled}});
        case policy::ConstraintClass::partly:
            return fill<kConstraint>(
                {{"look", "warn"},
                 {"kind", "PARTLY"},
                 {"text", c.text},
                 {"means", "oauth3 holds it to: " + c.compiled + "; it cannot check the rest"}});
        case policy::ConstraintClass::advisory:
            break;
    }
    return fill<kConstraint>({{"look", "warn"},
                              {"kind", "ADVISORY"},
                              {"text", c.text},
                              {"means", "oauth3 cannot check this"}});
}

}  // namespace

Html constraints_view(const policy::Scope& scope) {
    if (scope.constraints.empty()) return fill<kNone>({{"text", "none"}});
    Html items;
    for (const policy::Constraint& c : scope.constraints) items += constraint(c);
    return fill<kConstraints>({{"items", items}});
}

Html widening_view(const policy::Scope& scope, const std::optional<store::SessionRow>& session) {
    if (!session) return fill<kNone>({{"text", "All of it: the session begins with this."}});
    const policy::SessionPolicy& has = session->session.policy;
    std::vector<std::string> secrets;
    for (const std::string& name : scope.secrets)
        if (!holds(has.secrets, name)) secrets.push_back(name);
    std::vector<std::string> networks;
    for (const base::Network& network : scope.networks)
        if (!covered(has.networks, network)) networks.push_back(network.text());
    std::vector<std::string> constraints;
    for (const policy::Constraint& c : scope.constraints)
        if (std::none_of(has.constraints.begin(), has.constraints.end(),
                         [&c](const policy::Constraint& h) { return h.text == c.text; }))
            constraints.push_back(c.text);
    Html facts;
    if (!secrets.empty()) facts += fact("New secrets", code_list(secrets, ""));
    if (!networks.empty()) facts += fact("New hosts", code_list(networks, ""));
    if (!constraints.empty()) facts += fact("New constraints", list(constraints, ""));
    if (scope.code_hash && !holds(has.code_hashes, *scope.code_hash))
        facts += fact("New code", code_word(*scope.code_hash));
    if (scope.max_timeout > has.max_timeout)
        facts += fact("Longer runs", duration_words(has.max_timeout) + " before, " +
                                         duration_words(scope.max_timeout) + " now");
    if (scope.max_runs)
        facts += fact("Runs", "the session's limit becomes " +
                                  counted(static_cast<std::size_t>(*scope.max_runs), "run"));
    if (scope.expires_in)
        facts += fact("Life", "from now on at most " + duration_words(*scope.expires_in));
    if (facts.empty()) return fill<kNone>({{"text", "Nothing: the session holds all of it."}});
    return fill<kFacts>({{"facts", facts}});
}

}  // namespace oauth3::api::pages
