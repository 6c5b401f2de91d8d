#include "cli/terminal.h"

#include "cli/interrupt.h"

#include <fcntl.h>
#include <oauth3/client.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace oauth3::cli {

Terminal::Terminal() : fd_(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)) {}

void Terminal::write(std::string_view text) {
    base::write_all(fd_.get(), text);
}

bool Terminal::confirm(std::string_view question) {
    const int interrupt = interrupt_fd();
    // A line typed, or pasted, before the question was read is no answer to it.
    ::tcflush(fd_.get(), TCIFLUSH);
    write(question);
    std::string line;
    while (line.find('\n') == std::string::npos && line.size() < 256) {
        std::array<pollfd, 2> ready{{{fd_.get(), POLLIN, 0}, {interrupt, POLLIN, 0}}};
        if (::poll(ready.data(), ready.size(), -1) < 0 && errno != EINTR)
            base::throw_errno("cannot wait for the terminal");
        if (ready[1].revents != 0) {
            write("\n");
            throw ClientError(ClientErrorKind::interrupted, "interrupted; nothing was decided");
        }
        if (ready[0].revents == 0) continue;
        std::array<char, 256> buffer{};
        const ssize_t count = ::read(fd_.get(), buffer.data(), buffer.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) break;  // end of input, or the terminal is gone: no answer
        line.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return line == "y\n" || line == "Y\n" || line == "yes\n" || line == "YES\n";
}

}  // namespace oauth3::cli
