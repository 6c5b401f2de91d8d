#include "api/pages/session_view.h"

#include "api/pages/parts.h"
#include "api/pages/scope_view.h"

#include <fmt/format.h>

namespace oauth3::api::pages {
namespace {

constexpr std::string_view kFacts = "<dl class=\"facts\">{{facts}}</dl>";
constexpr std::string_view kNone = "<p class=\"none\">{{text}}</p>";

/// Each secret with the hosts that it may go to.
std::vector<std::string> bonds_of(const policy::SessionPolicy& policy) {
    std::vector<std::string> out;
    for (const auto& [secret, hosts] : policy.secret_hosts)
        out.push_back(hosts.empty() ? secret + " → no host"
                                    : fmt::format("{} → {}", secret,
                                                  fmt::join(policy::texts_of(hosts), ", ")));
    return out;
}

std::string runs(std::int64_t count) {
    return counted(static_cast<std::size_t>(count), "run");
}

}  // namespace

Html session_facts(const store::SessionRow& row, base::Time now) {
    const policy::SessionPolicy& policy = row.session.policy;
    Html facts;
    if (!policy.description.empty()) facts += fact("For", words(policy.description));
    facts += fact("Secrets", code_list(policy.secrets, "none"));
    facts += fact("Hosts", code_list(policy::texts_of(policy.networks), "none"));
    facts += fact("Each run", "at most " + duration_words(policy.max_timeout));
    const auto used = runs(row.session.runs_used);
    facts += fact("Used", policy.max_runs ? used + " of " + std::to_string(*policy.max_runs)
                                          : used + ", no limit");
    facts += fact("Ends", moment(policy::session_end(row.session), now));
    return facts;
}

Html session_details(const policy::SessionPolicy& policy) {
    return fact("Secrets may go to", code_list(bonds_of(policy), "none")) +
           fact("Calls allowed", rules_list(policy.rules)) +
           fact("Constraints", constraints_list(policy.constraints)) +
           fact("Arguments must be", args_list(policy.args)) +
           fact("Code", policy::any_code(policy)
                            ? words("any code that keeps to the rules, also code that nobody has "
                                    "seen")
                            : code_list(policy.code_hashes, "none")) +
           budget_facts(policy.budgets);
}

Html session_view(const store::SessionRow& row, base::Time now) {
    return fill<kFacts>({{"facts", session_facts(row, now) + session_details(row.session.policy)}});
}

Html growth_view(const policy::Session& session, const policy::Growth& growth, base::Time now) {
    std::vector<std::string> bonds;
    for (const policy::Bond& bond : growth.secret_hosts)
        bonds.push_back(bond.secret + " → " + bond.host);
    Html facts;
    if (!growth.secrets.empty()) facts += fact("New secrets", code_list(growth.secrets, ""));
    if (!growth.networks.empty())
        facts += fact("New hosts", code_list(policy::texts_of(growth.networks), ""));
    if (!bonds.empty()) facts += fact("Secrets may newly go to", code_list(bonds, ""));
    if (!growth.rules.empty()) facts += fact("Calls newly allowed", rules_list(growth.rules));
    if (!growth.constraints.empty())
        facts += fact("New constraints", constraints_list(growth.constraints));
    if (!growth.args.empty()) facts += fact("Arguments must newly be", args_list(growth.args));
    if (growth.any_code)
        facts +=
            fact("Code that nobody has seen",
                 *growth.any_code ? "may run from now on, within the rules" : "may no longer run");
    if (!growth.code_hashes.empty()) facts += fact("New code", code_list(growth.code_hashes, ""));
    if (growth.max_timeout)
        facts += fact("Time of a run", duration_words(session.policy.max_timeout) + " before, " +
                                           duration_words(*growth.max_timeout) + " now");
    if (growth.max_runs)
        facts += fact("Runs", (session.policy.max_runs ? runs(*session.policy.max_runs)
                                                       : std::string("no limit")) +
                                  " before, " + runs(*growth.max_runs) + " now, of which " +
                                  std::to_string(session.runs_used) + " used");
    if (growth.expires_at)
        facts += fact("Lives at most", "until "_html + moment(session.expires_at, now) +
                                           " before, until "_html +
                                           moment(*growth.expires_at, now) + " now"_html);
    if (facts.empty()) return fill<kNone>({{"text", "Nothing: the session holds all of it."}});
    return fill<kFacts>({{"facts", facts}});
}

}  // namespace oauth3::api::pages
