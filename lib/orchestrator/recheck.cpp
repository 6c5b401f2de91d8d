#include "orchestrator/recheck.h"

#include "base/error.h"
#include "base/json.h"
#include "policy/reading.h"
#include "skill/declaration.h"

#include <fmt/format.h>

namespace oauth3::orchestrator {
namespace {

using policy::Status;
using Refused = Recheck::Refused;

/// More events of one request than it can have.
constexpr std::int64_t kAllEvents = 100'000;

Refused differs(const std::string& what) {
    return {Status::failed, "approved grant no longer matches: " + what};
}

Refused differs(const std::vector<std::string>& names) {
    return differs(
        fmt::format("{} {}", fmt::join(names, ", "), names.size() == 1 ? "differs" : "differ"));
}

/// The grant that a decision, a trust or a session makes of the request as it now stands; of a
/// session's without its rules and limits, which the request does not say.
policy::Grant expected(const store::RequestRow& row, const policy::Grant& approved) {
    policy::Grant out = policy::grant_of(row.ask);
    if (row.authority == kSession) {
        out.rules = approved.rules;
        out.limits = approved.limits;
        out.secret_hosts = approved.secret_hosts;
    } else if (row.narrowing) {
        const auto narrowing =
            policy::read_narrowing(base::Members(base::parse_json(*row.narrowing)));
        auto cut = policy::narrow(out, narrowing);
        if (auto* grant = std::get_if<policy::Grant>(&cut)) return std::move(*grant);
    }
    return out;
}

}  // namespace

std::variant<Recheck::Ready, Refused> Recheck::check(const store::RequestRow& row, base::Time now) {
    Ready out;
    if (auto refused = check_grant(row, out.grant)) return std::move(*refused);
    if (auto refused = check_code(row, out.code)) return std::move(*refused);
    if (auto refused = check_authority(row, now)) return std::move(*refused);
    // Nothing half-way: without a vault and an egress gate such a run could only mislead.
    if (!out.grant.secrets.empty() || !out.grant.networks.empty())
        return Refused{Status::failed,
                       "this server cannot give a run secrets or network access yet"};
    return out;
}

std::optional<Refused> Recheck::check_grant(const store::RequestRow& row, policy::Grant& grant) {
    if (!row.granted || !row.grant_digest) return differs("it was not stored");
    try {
        grant = policy::grant_from_json(base::parse_json(*row.granted));
        const Recorded told = recorded(row);
        if (policy::digest(grant) != row.grant_digest || told.grant != row.grant_digest)
            return differs("it is not the one in the ledger");
        // Else a run of a session that has ended since could pass for one that a human approved.
        if (told.authority != row.authority) return differs(std::vector<std::string>{"authority"});
        if (told.session_id && told.session_id != row.session_id)
            return differs(std::vector<std::string>{"session_id"});
        if (const auto names = policy::differences(grant, expected(row, grant)); !names.empty())
            return differs(names);
    } catch (const base::Error& e) {
        // Of what cannot be read. Trying again would not mend it.
        if (e.code() == "store") throw;
        return differs("it cannot be read");
    } catch (const base::Json::exception&) {
        return differs("it cannot be read");
    }
    return std::nullopt;
}

Recheck::Recorded Recheck::recorded(const store::RequestRow& row) {
    store::EventFilter filter;
    filter.request_id = row.id;
    filter.limit = kAllEvents;
    Recorded out;
    for (const ledger::Event& event : ledger_.events(row.owner_id, filter)) {
        if (!event.detail.contains("grant") || event.action == "request.started") continue;
        if (ledger::hash_of(event) != event.hash) return {};
        out.grant = event.detail.at("grant").get<std::string>();
        // Who narrows a session does not approve what is left of the grant.
        if (event.action != "request.decided") continue;
        out.authority = event.detail.value("by", event.actor);
        if (const auto id = event.detail.find("session_id"); id != event.detail.end())
            out.session_id = id->get<std::string>();
    }
    return out;
}

std::optional<Refused> Recheck::check_code(const store::RequestRow& row, std::string& code) {
    try {
        code = requests_.code(row.ask.code_hash);
    } catch (const base::Error& e) {
        // Trying again would not bring it back, and whoever waits would wait for ever.
        if (e.code() != "corrupt") throw;
        return differs("the code is missing");
    }
    if (skill::code_hash(code) != row.ask.code_hash) return differs("the code differs");
    return std::nullopt;
}

std::optional<Refused> Recheck::check_authority(const store::RequestRow& row, base::Time now) {
    const bool trusted = row.authority && row.authority->starts_with(kTrust);
    if (!trusted && row.authority != kSession) return std::nullopt;
    try {
        return trusted ? check_trust(row.authority->substr(kTrust.size()))
                       : check_session(row, now);
    } catch (const base::Error& e) {
        if (e.code() == "store") throw;
    } catch (const base::Json::exception&) {
        // Told below, as any that is not as it was approved.
    }
    return differs(trusted ? "the trust cannot be read" : "the session cannot be read");
}

std::optional<Refused> Recheck::check_trust(std::string_view id) {
    const auto trust = trust_.find(id);
    if (!trust) return Refused{Status::denied, "trust revoked"};
    if (!trust_.is_as_approved(*trust)) return differs("the trust differs");
    return std::nullopt;
}

std::optional<Refused> Recheck::check_session(const store::RequestRow& row, base::Time now) {
    const auto session = sessions_.find(row.tenant_id, row.session_id);
    if (!session || !policy::is_live(session->session, now))
        return Refused{Status::denied, "the session no longer allows this run: it has ended"};
    if (const auto names = sessions_.altered(*session); !names.empty())
        return differs(fmt::format("the session's {} {}", fmt::join(names, ", "),
                                   names.size() == 1 ? "differs" : "differ"));
    return std::nullopt;
}

}  // namespace oauth3::orchestrator
