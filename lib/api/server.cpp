#include "api/server.h"

#include "api/control.h"
#include "api/handover.h"
#include "api/listening.h"
#include "api/metrics.h"
#include "api/service.h"
#include "base/crypto.h"
#include "base/error.h"
#include "base/files.h"
#include "base/log.h"
#include "http/peer.h"
#include "http/server.h"
#include "http/tls.h"
#include "jail/checkup.h"
#include "jail/spawner.h"
#include "notify/review_command.h"
#include "orchestrator/access.h"
#include "orchestrator/orchestrator.h"
#include "runtime/deno.h"
#include "store/database.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

namespace oauth3::api {
namespace {

constexpr std::size_t kLinkKeySize = 32;

/// Which door a request came in by.
enum Door : int { kPublic = 0, kControl = 1, kMetrics = 2 };

/// The key of approval links, made at the first start. It lies beside the database, never in it.
base::SecretString link_key(const std::filesystem::path& folder) {
    const auto path = folder / "link.key";
    base::create_private_file(path, base::random_bytes(kLinkKeySize));
    base::SecretString key(base::read_file(path));
    if (key.reveal().size() != kLinkKeySize)
        throw base::Error("corrupt", path.string() + " is damaged",
                          "remove it: open approval links then stop working");
    return key;
}

/// False once a child has ended, though nobody has reaped it yet: a zombie can still be signalled.
bool is_running(pid_t child) {
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == 0;
}

/// Thousands of agents may wait at the same time, each on a connection: as many files as the
/// administrator allows. After the spawner was started, so that it and the jails keep the usual
/// limit.
void allow_many_files() {
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return;
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
}

http::Options http_options(const Listening& plan, const ServerOptions& options,
                           const std::shared_ptr<http::Tls>& tls) {
    http::Options out;
    for (const http::Address& address : plan.addresses)
        out.listen.emplace_back(address, tls, kPublic);
    if (plan.metrics) {
        out.listen.emplace_back(*plan.metrics, nullptr, kMetrics);
        out.listen.back().is_reserved = true;
    }
    out.listen.push_back(http::Listener::at_path(options.data_folder / kControlSocket, kControl));
    out.handle_signals = true;
    return out;
}

void log_request(const http::Observed& seen) {
    if (!base::is_logged(base::LogLevel::debug)) return;
    base::log_event(base::LogLevel::debug, "request",
                    {{"method", seen.method},
                     {"path", seen.path},
                     {"status", seen.status},
                     {"from", seen.remote_address},
                     {"us", seen.time.count()},
                     {"bytes", seen.bytes_sent},
                     {"held", seen.held},
                     {"complete", seen.is_complete}});
}

/// Says once that an agent runs as the same user: it could read the server's files (wire 2.5).
class SameUserWarning {
  public:
    void operator()(const http::Request& request) {
        const auto now = std::chrono::steady_clock::now();
        if (given_ || now < next_ || !request.remote_is_loopback) return;
        next_ = now + base::Seconds(1);
        const auto uid = http::loopback_peer_uid(request);
        if (uid != ::geteuid()) return;
        given_ = true;
        base::log_warning(
            "an agent runs as the same user as this server: it can read the owner's files and "
            "so has the human's authority; run the server as a user of its own");
    }

  private:
    bool given_ = false;
    /// Asking the kernel for every call would cost more than many a call does.
    std::chrono::steady_clock::time_point next_{};
};

void warn_of_insecure(const ServerOptions& options, const Listening& plan) {
    if (options.approval_by_link)
        base::log_warning(
            "INSECURE: with --approval=link anyone with an approval link, the agent "
            "too, can approve");
    if (options.no_auth)
        base::log_warning("INSECURE: with --no-auth anyone on this machine is an agent");
    if (!plan.local_only && plan.public_url.starts_with("http:"))
        base::log_warning(
            "INSECURE: the public URL {} is not https: keys and log-ins cross the "
            "network in clear",
            plan.public_url);
}

/// Tries the sandbox out, and refuses to serve where it does not hold. What jails then have to be
/// made without.
jail::Without check_sandbox(const jail::Spawner& spawner, const std::vector<std::string>& allowed) {
    const jail::CheckUp found = jail::check_up(spawner);
    const std::vector<jail::Finding> refused = jail::unacceptable(found, allowed);
    if (!refused.empty()) {
        std::string names;
        for (const jail::Finding& finding : refused)
            names += (names.empty() ? "" : ",") + finding.name;
        const jail::Finding& first = refused.front();
        throw base::Error(
            "weak_sandbox",
            fmt::format("the sandbox does not hold on this machine: {}: {}", first.name,
                        first.seen),
            fmt::format(
                "{}{}\"oauth3 doctor\" tells all; --allow-weak-sandbox={} would run programs "
                "all the same",
                first.mend, first.mend.empty() ? "" : "; ", names));
    }
    for (const jail::Finding& finding : found.findings) {
        if (finding.verdict == jail::Verdict::yes) continue;
        if (finding.verdict == jail::Verdict::no)
            base::log_warning("INSECURE: the sandbox has no {}: {}", finding.name, finding.seen);
        else
            base::log_info("sandbox: {} is {}: {}", finding.name, jail::to_string(finding.verdict),
                           finding.seen);
    }
    return found.without;
}

std::vector<Gauge> gauges(const http::Server& server, orchestrator::Orchestrator& orchestrator) {
    std::vector<Gauge> out{{"http_connections",
                            "Open connections.",
                            {},
                            static_cast<std::int64_t>(server.connections())},
                           {"http_waiting",
                            "Replies that wait, as long polls do.",
                            {},
                            static_cast<std::int64_t>(server.waiting())}};
    for (const auto& [status, count] : orchestrator.count_alive())
        out.push_back({"requests", "Requests that are not final.",
                       fmt::format("state=\"{}\"", policy::to_string(status)), count});
    return out;
}

}  // namespace

void run_server(const ServerOptions& options) {
    const Listening plan = plan_listening(options);
    if (options.retention < orchestrator::kMinRetention)
        throw base::Error("usage", "--retention is at least 7 days");
    // Before any thread, any secret and any big memory: see jail/spawner.h.
    const jail::Spawner spawner = jail::Spawner::start();
    const jail::Without without = check_sandbox(spawner, options.allow_weak_sandbox);
    // Nobody of the same user may read this process's memory, nor may a core file hold it.
    ::prctl(PR_SET_DUMPABLE, 0);
    ::signal(SIGPIPE, SIG_IGN);
    allow_many_files();

    std::optional<notify::ReviewCommand> reviewer;
    if (!options.review_command.empty())
        reviewer.emplace(options.review_command, options.review_timeout);

    const base::SystemClock clock;
    store::Database database(options.data_folder);
    orchestrator::Access access(database, link_key(options.data_folder));
    orchestrator::Accounts accounts(database, clock);
    orchestrator::Logins logins(database, access, clock);
    orchestrator::Replays replays(database, clock);
    const runtime::Deno deno(spawner, runtime::find_deno(options.deno),
                             options.data_folder / "runtime", without);
    std::shared_ptr<http::Tls> tls;
    if (!options.tls_cert.empty())
        tls = std::make_shared<http::Tls>(options.tls_cert, options.tls_key);

    Metrics metrics;
    std::function<std::string()> metrics_text;
    std::unique_ptr<Service> service;
    http::Options http = http_options(plan, options, tls);
    http.observe = [&metrics](const http::Observed& seen) {
        metrics.count(seen);
        log_request(seen);
    };
    http::Server server(
        http,
        [&](http::Request& request) -> http::Reply {
            if (request.listener == kControl) return answer_control(*service, request);
            if (request.listener == kMetrics) return answer_metrics(request, metrics_text);
            return service->handle(request);
        },
        [&service](http::Failure failure, const http::Request& request) {
            return service->failure(failure, request);
        });

    if (!accounts.has_owner())
        accounts.create_server_owner([&options](const base::SecretString& key) {
            deliver_owner_key(options.owner_key_out, key);
        });

    orchestrator::Orchestrator orchestrator(
        database, clock,
        [&deno](const runtime::Job& job, const jail::StopSignal& stop) {
            return deno.run(job, &stop);
        },
        {[&server](std::function<void()> work) { server.post(std::move(work)); },
         [&server](const std::string& id) { server.wake(id); }},
        {options.approval_ttl, options.max_pending, options.parallel_runs, options.retention,
         reviewer
             ? [&reviewer](const std::string& request,
                           const jail::StopSignal& stop) { return reviewer->review(request, stop); }
             : orchestrator::Reviewer()});
    metrics_text = [&] { return metrics.text(gauges(server, orchestrator)); };

    Config config;
    config.base_url = plan.public_url.empty()
                          ? read_base_url(fmt::format("{}://{}", tls ? "https" : "http",
                                                      server.local_endpoints().front().to_string()))
                          : plan.public_url;
    config.poll_hold = options.poll_hold;
    config.signup = plan.signup;
    config.approval_by_link = options.approval_by_link;
    config.no_auth = options.no_auth;
    config.behind_proxy = options.behind_proxy;
    config.cors_origins = plan.cors_origins;
    // Whoever may have more that waits may also submit it.
    config.max_submissions = std::max(config.max_submissions, 12 * options.max_pending);
    config.allow_hosts = options.allow_hosts;
    config.version = options.version;
    config.can_run = [&spawner] { return is_running(spawner.pid()); };
    config.metrics = metrics_text;
    if (!options.behind_proxy)
        config.agent_seen = [warn = SameUserWarning()](const http::Request& r) mutable { warn(r); };
    service = std::make_unique<Service>(
        Parts{orchestrator, access, accounts, logins, replays, clock}, config);
    if (options.no_auth) accounts.dev_agent();

    orchestrator.recover();
    server.every(base::Seconds(1), [&orchestrator] { orchestrator.tick(); });
    server.every(base::Seconds(1), [&replays] { replays.purge(); });
    server.every(base::Seconds(60), [&service] { service->purge(); });
    server.on_stop([&orchestrator] {
        base::log_info("stopping");
        orchestrator.close();
    });
    server.on_hangup([&tls] {
        if (!tls) return;
        try {
            tls->reload();
            base::log_info("the TLS certificate was read again");
        } catch (const base::Error& e) {
            base::log_error("the TLS certificate stays as it was: {}", e.what());
        }
    });
    warn_of_insecure(options, plan);
    if (!options.ready_file.empty())
        base::write_private_file(options.ready_file, config.base_url + "\n");
    base::log_info("listening on {}, data in {}", config.base_url, options.data_folder.string());
    show_login_link(login_url(*service, logins.make_link()));

    server.run();
    orchestrator.shut_down();
    base::log_info("stopped");
}

}  // namespace oauth3::api
