#include "jail/passing.h"

#include "base/error.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace oauth3::jail {
namespace {

struct alignas(cmsghdr) Control {
    std::array<char, CMSG_SPACE(kMaxPassed * sizeof(int))> bytes{};
};

}  // namespace

bool send_with_fds(int socket, std::string_view bytes, std::span<const int> fds,
                   int flags) noexcept {
    // sendmsg(2) does not write to it.
    iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    Control control;
    if (!fds.empty()) {
        message.msg_control = control.bytes.data();
        message.msg_controllen = CMSG_SPACE(fds.size_bytes());
        cmsghdr* head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(fds.size_bytes());
        std::memcpy(CMSG_DATA(head), fds.data(), fds.size_bytes());
    }
    for (;;) {
        if (::sendmsg(socket, &message, flags | MSG_NOSIGNAL) >= 0) return true;
        if (errno != EINTR) return false;
    }
}

std::optional<std::size_t> receive_with_fds(int socket, std::span<char> bytes,
                                            std::span<base::Fd> fds, int flags) {
    iovec part{bytes.data(), bytes.size()};
    Control control;
    msghdr message{};
    ssize_t size = -1;
    do {
        message = {};
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        message.msg_control = control.bytes.data();
        message.msg_controllen = control.bytes.size();
        size = ::recvmsg(socket, &message, flags | MSG_CMSG_CLOEXEC);
    } while (size < 0 && errno == EINTR);
    if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return std::nullopt;
    // The peer died with packets of ours unread: for the reader, simply the end.
    if (size < 0 && errno == ECONNRESET) return 0;
    if (size < 0) base::throw_errno("recvmsg");
    for (cmsghdr* head = CMSG_FIRSTHDR(&message); head != nullptr;
         head = CMSG_NXTHDR(&message, head)) {
        if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS) continue;
        const std::size_t count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        std::array<int, kMaxPassed> numbers{};
        std::memcpy(numbers.data(), CMSG_DATA(head), std::min(count, kMaxPassed) * sizeof(int));
        for (std::size_t i = 0; i < std::min(count, kMaxPassed); ++i) {
            base::Fd fd(numbers[i]);
            if (i < fds.size()) fds[i] = std::move(fd);
        }
    }
    return static_cast<std::size_t>(size);
}

}  // namespace oauth3::jail
