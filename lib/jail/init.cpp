#include "jail/init.h"

#include "base/error.h"
#include "jail/probe.h"
#include "jail/report.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

namespace oauth3::jail {
namespace {

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> out;
    out.reserve(texts.size() + 1);
    for (std::string& text : texts) out.push_back(text.data());
    out.push_back(nullptr);
    return out;
}

/// The helper ignores the terminal's signals, and what is ignored stays so through exec.
void reset_signals() {
    struct sigaction normal {};
    normal.sa_handler = SIG_DFL;
    // Some numbers are not to be set (SIGKILL, those of the C library): they are normal anyway.
    for (int number = 1; number < NSIG; ++number) ::sigaction(number, &normal, nullptr);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

[[noreturn]] void run_program(const Job& job, int status) {
    std::vector<std::string> arguments = job.argv;
    std::vector<std::string> environment;
    for (const auto& [name, value] : job.environment) environment.push_back(name + "=" + value);
    const std::vector<char*> argv = pointers(arguments);
    const std::vector<char*> envp = pointers(environment);

    reset_signals();
    ::setsid();
    if (::chdir(job.cwd.c_str()) != 0)
        report_failed(status, errno, "enter " + job.cwd + ": " + base::errno_text(errno));
    else if (job.probe != Probe::none) {
        run_probe(job.probe);
        ::_exit(0);
    } else {
        // Descriptors above 2 are close-on-exec, the status socket among them.
        ::execve(argv[0], argv.data(), envp.data());
        report_failed(status, errno, "start " + arguments[0] + ": " + base::errno_text(errno));
    }
    ::_exit(127);
}

}  // namespace

void run_init(const Job& job, int status) {
    const pid_t program = ::fork();
    if (program < 0) base::throw_errno("start the program");
    if (program == 0) run_program(job, status);
    // The ends of the pipes belong to the program and its children alone.
    for (int fd = 0; fd <= 2; ++fd) ::close(fd);
    for (;;) {
        int wait_status = 0;
        const pid_t pid = ::waitpid(-1, &wait_status, 0);
        if (pid < 0 && errno != EINTR) ::_exit(1);
        if (pid != program) continue;
        rusage usage{};
        ::getrusage(RUSAGE_CHILDREN, &usage);
        report_exited(status, wait_status, usage);
        ::_exit(0);
    }
}

}  // namespace oauth3::jail
