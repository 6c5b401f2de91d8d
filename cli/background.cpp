#include "cli/background.h"

#include "cli/config.h"
#include "cli/console.h"
#include "cli/failure.h"
#include "cli/interrupt.h"
#include "cli/job.h"
#include "cli/keys.h"
#include "cli/waiting.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <optional>

namespace oauth3::cli {
namespace {

using base::Json;

void wait_for_execution(Client& client, const std::string& id, Job& job) {
    RequestState state = client.poll(id);
    const auto tell = [&job](const RequestState& now) {
        Json members{{"status", now.status}, {"result", base::parse_json(now.reply.json)}};
        if (now.status != "awaiting_secrets") members["approval_url"] = nullptr;
        job.update(members);
    };
    tell(state);
    if (state.status != "awaiting_secrets") return;
    // It goes on by itself once they are there.
    tell(client.poll(id, {.until_final = true}));
}

void do_work(const BackgroundWork& work, Job& job) {
    Client client(
        {.url = work.url, .agent_key = work.agent_key, .interrupt_fd = interrupt_fd_of_worker()});
    client.set_deadline(work.deadline);
    std::string id = work.execution_id;
    if (!work.scope_id.empty()) {
        const RequestState scope = client.poll(work.scope_id);
        if (scope.status != "completed") {
            job.update({{"status", "scope_failed"},
                        {"result", base::parse_json(scope.reply.json)},
                        {"exit_code", static_cast<int>(exit_code_of(scope.status))}});
            return;
        }
        ExecuteRequest execution = work.execution;
        if (!scope.session_id.empty()) execution.session_id = scope.session_id;
        job.update({{"status", "scope_approved"},
                    {"session_id", execution.session_id},
                    {"approval_url", nullptr}});
        const Submission submission = client.execute(execution, work.idempotency_key);
        id = submission.request_id;
        job.update({{"status", "polling_exec"},
                    {"request_id", id},
                    {"exec_request_id", id},
                    {"approval_url",
                     submission.approval_url.empty() ? Json() : Json(submission.approval_url)}});
    }
    wait_for_execution(client, id, job);
}

void tell_error(Job& job, ExitCode code, Json members) {
    members["status"] = "error";
    members["exit_code"] = static_cast<int>(code);
    job.update(members);
}

void work_and_tell(const BackgroundWork& work, Job& job) {
    try {
        do_work(work, job);
    } catch (const ClientError& error) {
        Json members{{"error", error.what()}};
        std::string hint = hint_of(error);
        const bool lives_on = error.kind() == ClientErrorKind::timeout ||
                              error.kind() == ClientErrorKind::interrupted;
        if (hint.empty() && lives_on)
            hint = fmt::format("Go on waiting with: oauth3 poll {}",
                               job.document().at("request_id").get<std::string>());
        if (!hint.empty()) members["hint"] = hint;
        tell_error(job, exit_code_of(error.kind()), std::move(members));
    } catch (const std::exception& error) {
        tell_error(job, ExitCode::failed, {{"error", error.what()}});
    }
}

/// The life of the worker. `ready` gets a byte once nothing of the terminal can reach it.
[[noreturn]] void live(const BackgroundWork& work, Job& job, int ready) {
    // Never returns, so that nothing of the parent's is undone twice.
    try {
        ::setsid();
        const int none = ::open("/dev/null", O_RDWR | O_CLOEXEC);
        for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(none, fd);
        constexpr int kReady = 3;
        if (ready != kReady) ::dup3(ready, kReady, O_CLOEXEC);
        ::close_range(kReady + 1, ~0U, 0);
        // What was typed at the terminal before it was left counts no more.
        for (const int number : {SIGINT, SIGQUIT, SIGHUP, SIGTSTP}) ::signal(number, SIG_IGN);
        sigset_t nothing;
        ::sigemptyset(&nothing);
        ::sigprocmask(SIG_SETMASK, &nothing, nullptr);
        // No folder is kept from being unmounted; all paths that matter are absolute.
        if (::chdir("/") != 0) base::throw_errno("cannot go to /");
        job.hold_lock();
        job.update({{"pid", ::getpid()}});
        const char byte = 1;
        if (::write(kReady, &byte, 1) != 1) base::throw_errno("cannot tell the parent");
        ::close(kReady);
        work_and_tell(work, job);
        job.remove_lock();
        ::_exit(0);
    } catch (const std::exception&) {
        // Nobody is left to tell; the job's file says what was last true.
    }
    ::_exit(1);
}

bool read_byte(int fd) {
    char byte = 0;
    ssize_t count = 0;
    while ((count = ::read(fd, &byte, 1)) < 0 && errno == EINTR) {
    }
    return count == 1;
}

/// The worker leaves this folder.
void make_certificates_absolute() {
    const auto file = environment("SSL_CERT_FILE");
    std::error_code error;
    const std::filesystem::path path = std::filesystem::absolute(file.value_or(""), error);
    if (file && !error) ::setenv("SSL_CERT_FILE", path.c_str(), 1);
}

/// Starts the worker and prints the job's document.
ExitCode go_on_in_background(Job& job, const BackgroundWork& work, Context& context) {
    make_certificates_absolute();
    base::Pipe ready = base::make_pipe();
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, &before);
    const pid_t worker = ::fork();
    if (worker == 0) live(work, job, ready.write.get());
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
    ready.write.reset();
    if (worker < 0 || !read_byte(ready.read.get())) {
        const Json& document = job.document();
        const std::string id = document.at("request_id").get<std::string>();
        throw base::Error("no_worker",
                          fmt::format("The background worker did not start; {} lives on.", id),
                          fmt::format("Wait with: oauth3 poll {}", id));
    }
    Json document = job.document();
    document["pid"] = worker;
    context.console.document(document);
    return ExitCode::ok;
}

}  // namespace

ExitCode run_in_background(const Arguments& arguments, Context& context, BackgroundWork work,
                           const std::function<Submission(Client&, BackgroundWork&)>& submit) {
    // Before anything is submitted that nobody could be told about.
    Job job = Job::create();
    std::optional<Submission> first;
    try {
        Client client = connect_agent(arguments, context, work.deadline);
        work.url = client.url();
        work.agent_key = client.agent_key();
        first = submit(client, work);
        const bool is_scope = !work.scope_id.empty();
        job.submitted(*first, is_scope ? "scope_request_id" : "exec_request_id",
                      is_scope ? "polling_scope" : "polling_exec");
    } catch (...) {
        job.discard();
        if (first) tell_how_to_go_on(first->request_id, context);
        throw;
    }
    return go_on_in_background(job, work, context);
}

}  // namespace oauth3::cli
