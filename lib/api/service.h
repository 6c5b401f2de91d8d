#pragma once

#include "api/standing.h"
#include "base/clock.h"
#include "http/hold.h"
#include "http/rate_limit.h"
#include "http/router.h"
#include "http/server.h"
#include "orchestrator/access.h"
#include "orchestrator/accounts.h"
#include "orchestrator/logins.h"
#include "orchestrator/orchestrator.h"
#include "orchestrator/replays.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace oauth3::api {

using orchestrator::Principal;

/// Who may call a route. An owner shows itself by a bearer key or by the cookie of its browser.
enum class Auth {
    none,
    agent,
    owner,
    admin,
    agent_or_owner,
    link,     ///< an owner, or whoever holds the approval token: the handler looks at the token
    view,     ///< as link, and an agent as well
    browser,  ///< an owner's cookie; a GET without one is sent to the log-in page
};

std::string_view to_string(Auth auth);

enum class Signup { open, invite, closed };

std::string_view to_string(Signup signup);

struct Config {
    std::string base_url;            ///< without a final '/', such as "http://127.0.0.1:3737"
    base::Millis poll_hold{50'000};  ///< how long a poll is held at most
    Signup signup = Signup::open;
    bool approval_by_link = false;          ///< insecure: an approval token decides, too
    bool no_auth = false;                   ///< agent calls without a key act for the tenant "dev"
    bool behind_proxy = false;              ///< X-Forwarded-For names the caller's address
    std::vector<std::string> cors_origins;  ///< such as "https://app.example.org"
    std::vector<std::string> allow_hosts;   ///< further names that a Host header may hold
    std::size_t max_submissions = 600;      ///< of one tenant in any minute
    std::string version;
    std::function<bool()> can_run;  ///< false while no run could start
    /// Told of each call that an agent makes with its key; may be empty.
    std::function<void(const http::Request&)> agent_seen;
    /// The text of GET /metrics; the service answers 404 there without it.
    std::function<std::string()> metrics;
};

/// One row of the route table.
struct Endpoint {
    std::string method;
    std::string pattern;
    Auth auth = Auth::none;
    /// `who` is set but for Auth::none, and for Auth::link and Auth::view of a caller that shows
    /// nothing else than perhaps a token.
    std::function<http::Reply(const http::Request&, const Principal* who)> handler;
    bool takes_forms = false;  ///< application/x-www-form-urlencoded, beside JSON
    bool is_page = false;      ///< a browser gets refusals as pages
};

/// What the service works with; all of it outlives the service.
struct Parts {
    orchestrator::Orchestrator& orchestrator;
    orchestrator::Access& access;
    orchestrator::Accounts& accounts;
    orchestrator::Logins& logins;
    orchestrator::Replays& replays;
    const base::Clock& clock;
};

/// The HTTP face of the orchestrator: translates JSON and pages to its types and back.
class Service {
  public:
    Service(const Parts& parts, Config config);
    Service(const Service&) = delete;
    Service& operator=(const Service&) = delete;

    /// Answers a request; never throws for what a client can cause.
    http::Reply handle(http::Request& request);
    http::Response failure(http::Failure failure, const http::Request& request);

    /// All routes, for the router and for tests that try every one of them.
    const std::vector<Endpoint>& endpoints() const { return endpoints_; }

    /// What handlers work with.
    orchestrator::Orchestrator& orchestrator() { return parts_.orchestrator; }
    orchestrator::Access& access() { return parts_.access; }
    orchestrator::Accounts& accounts() { return parts_.accounts; }
    orchestrator::Logins& logins() { return parts_.logins; }
    orchestrator::Replays& replays() { return parts_.replays; }
    const base::Clock& clock() const { return parts_.clock; }
    Standings& standings() { return standings_; }
    const Config& config() const { return config_; }

    std::string status_url(std::string_view id) const;
    std::string approval_url(std::string_view id) const;
    /// `path` below the base URL, for links and redirects within the pages: "/login" becomes
    /// "/prefix/login" if the base URL ends in "/prefix".
    std::string local_path(std::string_view path) const { return base_path_ + std::string(path); }

    /// The name of the log-in cookie, and values for Set-Cookie (wire 2.4).
    std::string_view cookie_name() const;
    std::string set_cookie(const orchestrator::Login& login) const;
    std::string clear_cookie() const;

    /// The address that limits count by: that of the connection, or the one that the proxy names.
    std::string client_key(const http::Request& request) const;
    /// Counts a sign-up; throws the Refusal 429 rate_limited if this address signs up too often.
    void limit_signups(const http::Request& request);
    /// Counts a submission; throws the Refusal 429 rate_limited if the agent submits too often.
    void limit_submissions(const Principal& agent);
    /// Counts and records a failed log-in; throws the Refusal 429 rate_limited if there were too
    /// many from this address (wire 2.4). A log-in that succeeds is never to be counted.
    void count_failed_login(const http::Request& request);

    /// Forgets log-ins that are over; to be called about once a minute.
    void purge();

  private:
    void check_caller_host(const http::Request& request);
    void check_caller_version(const http::Request& request);
    std::string log_incident(const http::Request& request, std::string_view problem) const;
    http::Reply dispatch(http::Request& request);
    http::Reply call(const Endpoint& endpoint, const http::Request& request);

    Parts parts_;
    Config config_;
    std::string base_host_;
    std::string base_origin_;
    std::string base_path_;
    std::vector<Endpoint> endpoints_;
    http::Router router_;
    Standings standings_;
    std::string passed_host_;  ///< the last Host header that was found good
    http::RateLimit signups_;
    http::RateLimit submissions_;  ///< by tenant
    http::RateLimit told_versions_;
    http::RateLimit failed_logins_;
    http::RateLimit recorded_failures_;
};

}  // namespace oauth3::api
