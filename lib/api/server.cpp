#include "api/server.h"

#include "api/service.h"
#include "base/crypto.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/files.h"
#include "base/log.h"
#include "http/server.h"
#include "jail/spawner.h"
#include "orchestrator/access.h"
#include "orchestrator/orchestrator.h"
#include "runtime/deno.h"
#include "store/database.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <memory>

namespace oauth3::api {
namespace {

constexpr std::size_t kLinkKeySize = 32;

std::vector<http::Address> addresses(const std::vector<std::string>& texts) {
    std::vector<http::Address> out;
    for (const std::string& text : texts) {
        const auto address = http::parse_address(text);
        if (!address)
            throw base::Error("usage", fmt::format("\"{}\" is not an address to listen on", text),
                              "write it as 127.0.0.1:3737 or [::1]:3737");
        if (!address->is_loopback())
            throw base::Error("not_loopback", fmt::format("{} is not a loopback address", text),
                              "this version serves its own machine only");
        out.push_back(*address);
    }
    return out;
}

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

/// Shows the owner's key where only the human looks: a file or the controlling terminal, never
/// stdout or the log.
void deliver_owner_key(const std::filesystem::path& file, const base::SecretString& key) {
    if (!file.empty()) {
        base::write_private_file(file, std::string(key.reveal()) + "\n");
        base::log_info("the owner's key is in {}", file.string());
        return;
    }
    const base::Fd terminal(::open("/dev/tty", O_WRONLY | O_NOCTTY | O_CLOEXEC));
    if (!terminal)
        throw base::Error("no_owner_key_out", "the first start has nowhere to show the owner's key",
                          "name a file with --owner-key-out, or start it on a terminal");
    base::write_all(terminal.get(),
                    fmt::format("\nThe owner's key, shown once. Keep it where no agent can read "
                                "it:\n\n  {}\n\n",
                                key.reveal()));
}

/// False once a child has ended, though nobody has reaped it yet: a zombie can still be signalled.
bool is_running(pid_t child) {
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == 0;
}

std::string base_url(const http::Server& server) {
    return "http://" + server.local_endpoints().front().to_string();
}

}  // namespace

void run_server(const ServerOptions& options) {
    const auto listen = addresses(options.listen);
    // Before any thread, any secret and any big memory: see jail/spawner.h.
    const jail::Spawner spawner = jail::Spawner::start();
    // Nobody of the same user may read this process's memory, nor may a core file hold it.
    ::prctl(PR_SET_DUMPABLE, 0);
    ::signal(SIGPIPE, SIG_IGN);

    const base::SystemClock clock;
    store::Database database(options.data_folder);
    orchestrator::Access access(database, clock, link_key(options.data_folder));
    const runtime::Deno deno(spawner, runtime::find_deno(options.deno),
                             options.data_folder / "runtime");

    std::unique_ptr<Service> service;
    http::Options http_options;
    http_options.listen.assign(listen.begin(), listen.end());
    http_options.handle_signals = true;
    http::Server server(
        http_options, [&service](http::Request& request) { return service->handle(request); },
        [&service](http::Failure failure, const http::Request& request) {
            return service->failure(failure, request);
        });

    if (!access.has_owner())
        access.create_owner([&options](const base::SecretString& key) {
            deliver_owner_key(options.owner_key_out, key);
        });

    orchestrator::Orchestrator orchestrator(
        database, clock,
        [&deno](const runtime::Job& job, const jail::StopSignal& stop) {
            return deno.run(job, &stop);
        },
        {[&server](std::function<void()> work) { server.post(std::move(work)); },
         [&server](const std::string& id) { server.wake(id); }},
        {options.approval_ttl, options.max_pending, options.parallel_runs});

    Config config;
    config.base_url = base_url(server);
    config.poll_hold = options.poll_hold;
    config.version = options.version;
    config.can_run = [&spawner] { return is_running(spawner.pid()); };
    service = std::make_unique<Service>(orchestrator, access, clock, config);

    orchestrator.recover();
    server.every(base::Seconds(1), [&orchestrator] { orchestrator.tick(); });
    server.on_stop([] { base::log_info("stopping"); });
    if (!options.ready_file.empty())
        base::write_private_file(options.ready_file, config.base_url + "\n");
    base::log_info("listening on {}, data in {}", config.base_url, options.data_folder.string());

    server.run();
    orchestrator.shut_down();
    base::log_info("stopped");
}

}  // namespace oauth3::api
