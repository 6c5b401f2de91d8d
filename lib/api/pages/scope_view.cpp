#include "api/pages/scope_view.h"

#include "api/pages/parts.h"

namespace oauth3::api::pages {
namespace {

constexpr std::string_view kConstraints = "<ul class=\"plain\">{{items}}</ul>";
constexpr std::string_view kConstraint =
    "<li class=\"field\"><span class=\"tag {{look}}\">{{kind}}</span> <bdi>{{text}}</bdi>"
    "<br><span class=\"help\">{{means}}</span></li>";
constexpr std::string_view kNone = "<p class=\"none\">{{text}}</p>";

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

}  // namespace oauth3::api::pages
