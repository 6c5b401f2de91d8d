#pragma once

#include "base/clock.h"
#include "http/hold.h"
#include "http/router.h"
#include "http/server.h"
#include "orchestrator/access.h"
#include "orchestrator/orchestrator.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace oauth3::api {

/// Who may call a route.
enum class Auth {
    none,
    agent,
    owner,
    agent_or_owner,
    link,  ///< the approval token, for reading; or an owner
};

struct Config {
    std::string base_url;            ///< without a final '/', such as "http://127.0.0.1:3737"
    base::Millis poll_hold{50'000};  ///< how long a poll is held at most
    bool signup_open = true;
    std::string version;
    std::function<bool()> can_run;  ///< false while no run could start
};

/// One row of the route table.
struct Endpoint {
    std::string method;
    std::string pattern;
    Auth auth = Auth::none;
    /// `who` is nullopt for Auth::none, and for Auth::link without an owner's key.
    std::function<http::Reply(const http::Request&, const orchestrator::Principal* who)> handler;
};

/// The HTTP face of the orchestrator: translates JSON and pages to its types and back.
class Service {
  public:
    Service(orchestrator::Orchestrator& orchestrator, orchestrator::Access& access,
            const base::Clock& clock, Config config);
    Service(const Service&) = delete;
    Service& operator=(const Service&) = delete;

    /// Answers a request; never throws for what a client can cause.
    http::Reply handle(http::Request& request);
    http::Response failure(http::Failure failure, const http::Request& request);

    /// All routes, for the router and for tests that try every one of them.
    const std::vector<Endpoint>& endpoints() const { return endpoints_; }

    /// What handlers work with.
    orchestrator::Orchestrator& orchestrator() { return orchestrator_; }
    orchestrator::Access& access() { return access_; }
    const base::Clock& clock() const { return clock_; }
    const Config& config() const { return config_; }

    std::string status_url(std::string_view id) const;
    std::string approval_url(std::string_view id) const;

  private:
    http::Reply dispatch(http::Request& request);
    void check_origin(const http::Request& request) const;

    orchestrator::Orchestrator& orchestrator_;
    orchestrator::Access& access_;
    const base::Clock& clock_;
    Config config_;
    std::string base_host_;
    std::string base_origin_;
    std::vector<Endpoint> endpoints_;
    http::Router router_;
};

}  // namespace oauth3::api
