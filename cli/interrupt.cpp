#include "cli/interrupt.h"

#include "base/error.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

namespace oauth3::cli {
namespace {

int write_end = -1;

extern "C" void on_interrupt(int) {
    const char byte = 1;
    // Nothing can be done about a failure here, and there is none: the pipe is empty.
    [[maybe_unused]] const ssize_t written = ::write(write_end, &byte, 1);
}

int make_interrupt_pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) base::throw_errno("cannot make a pipe");
    write_end = ends[1];
    return ends[0];
}

void catch_once(int number) {
    struct sigaction action {};
    action.sa_handler = &on_interrupt;
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    ::sigaction(number, &action, nullptr);
}

int install() {
    const int read_end = make_interrupt_pipe();
    catch_once(SIGINT);
    catch_once(SIGTERM);
    ::signal(SIGPIPE, SIG_IGN);
    return read_end;
}

}  // namespace

int interrupt_fd() {
    // Open to the end of the process, for the handler needs it that long.
    static const int read_end = install();
    return read_end;
}

int interrupt_fd_of_worker() {
    for (const int number : {SIGINT, SIGQUIT, SIGHUP, SIGTSTP, SIGPIPE}) ::signal(number, SIG_IGN);
    const int read_end = make_interrupt_pipe();
    catch_once(SIGTERM);
    return read_end;
}

}  // namespace oauth3::cli
