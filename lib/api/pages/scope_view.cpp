#include "api/pages/scope_view.h"

#include "api/pages/parts.h"

#include <fmt/format.h>

namespace oauth3::api::pages {
namespace {

constexpr std::string_view kConstraints = "<ul class=\"plain\">{{items}}</ul>";
constexpr std::string_view kConstraint =
    "<li class=\"field\"><span class=\"tag {{look}}\">{{kind}}</span> <bdi>{{text}}</bdi>"
    "<br><span class=\"help\">{{means}}</span></li>";
constexpr std::string_view kList = "<ul>{{items}}</ul>";
constexpr std::string_view kLine = "<li><bdi>{{text}}</bdi> ({{kind}})</li>";
constexpr std::string_view kNone = "<p class=\"none\">{{text}}</p>";

Html constraint(const policy::Constraint& c) {
    switch (c.kind) {
        case policy::ConstraintClass::enforced:
            return fill<kConstraint>(
                {{"look", ""},
                 {"kind", "ENFORCED"},
                 {"text", c.text},
                 {"means", "oauth3 holds it to: " + policy::describe(c.limit)}});
        case policy::ConstraintClass::partly:
            return fill<kConstraint>({{"look", "warn"},
                                      {"kind", "PARTLY"},
                                      {"text", c.text},
                                      {"means", "oauth3 holds it to: " + policy::describe(c.limit) +
                                                    ". Not checked: " + c.remark}});
        case policy::ConstraintClass::advisory:
            break;
    }
    return fill<kConstraint>({{"look", "warn"},
                              {"kind", "ADVISORY"},
                              {"text", c.text},
                              {"means", "oauth3 cannot check this"}});
}

std::string_view kind_words(policy::ConstraintClass kind) {
    switch (kind) {
        case policy::ConstraintClass::enforced:
            return "enforced";
        case policy::ConstraintClass::partly:
            return "partly enforced";
        case policy::ConstraintClass::advisory:
            break;
    }
    return "oauth3 cannot check this";
}

}  // namespace

Html constraints_view(const std::vector<policy::Constraint>& constraints) {
    if (constraints.empty()) return fill<kNone>({{"text", "none"}});
    Html items;
    for (const policy::Constraint& c : constraints) items += constraint(c);
    return fill<kConstraints>({{"items", items}});
}

Html constraints_list(const std::vector<policy::Constraint>& constraints) {
    if (constraints.empty()) return "none";
    Html items;
    for (const policy::Constraint& c : constraints)
        items += fill<kLine>({{"text", c.text}, {"kind", kind_words(c.kind)}});
    return fill<kList>({{"items", items}});
}

Html rules_list(const std::vector<policy::Rule>& rules) {
    std::vector<std::string> texts;
    for (const policy::Rule& rule : rules) texts.push_back(policy::text_of(rule));
    return code_list(texts, "none");
}

Html args_list(const std::vector<policy::TypedArg>& args) {
    std::vector<std::string> texts;
    for (const policy::TypedArg& arg : args) texts.push_back(arg.text());
    return code_list(texts, "anything");
}

Html budget_facts(const policy::Budgets& budgets) {
    std::vector<std::string> texts;
    if (budgets.requests) texts.push_back(fmt::format("{} requests", *budgets.requests));
    if (budgets.bytes) texts.push_back(fmt::format("{} bytes", *budgets.bytes));
    for (const auto& [secret, uses] : budgets.secret_uses)
        texts.push_back(fmt::format("{} uses of {}", uses, secret));
    return texts.empty() ? Html() : fact("At most in all", list(texts, ""));
}

}  // namespace oauth3::api::pages
