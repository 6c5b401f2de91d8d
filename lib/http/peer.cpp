#include "http/peer.h"

#include "base/fd.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <cstring>
#include <string>

namespace oauth3::http {
namespace {

/// What is asked, as the kernel reads it.
struct Question {
    nlmsghdr header{};
    inet_diag_req_v2 body{};
};

struct Answer {
    nlmsghdr header{};
    inet_diag_msg body{};
};

/// Writes an address into the kernel's four words; its family, or 0.
std::uint8_t put_address(const std::string& text, std::uint32_t (&words)[4]) {
    if (::inet_pton(AF_INET, text.c_str(), words) == 1) return AF_INET;
    in6_addr v6{};
    if (::inet_pton(AF_INET6, text.c_str(), &v6) != 1) return 0;
    std::memcpy(words, &v6, sizeof v6);
    return AF_INET6;
}

/// The one reply, nullopt if there is none. A netlink socket never blocks for long: the kernel
/// answers within sendto(2).
std::optional<inet_diag_msg> ask(const Question& question) {
    const base::Fd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
    if (!fd) return std::nullopt;
    sockaddr_nl kernel{};
    kernel.nl_family = AF_NETLINK;
    if (::sendto(fd.get(), &question, sizeof question, 0, reinterpret_cast<sockaddr*>(&kernel),
                 sizeof kernel) != static_cast<ssize_t>(sizeof question)) {
        return std::nullopt;
    }
    alignas(Answer) std::array<char, 4096> buffer{};
    const ssize_t got = ::recv(fd.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got < static_cast<ssize_t>(sizeof(Answer))) return std::nullopt;
    Answer answer;
    std::memcpy(&answer, buffer.data(), sizeof answer);
    if (answer.header.nlmsg_type != SOCK_DIAG_BY_FAMILY) return std::nullopt;
    return answer.body;
}

}  // namespace

std::optional<uid_t> loopback_peer_uid(const Request& request) {
    if (!request.remote_is_loopback || request.remote_port == 0) return std::nullopt;
    Question question;
    question.header.nlmsg_len = sizeof question;
    question.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    question.header.nlmsg_flags = NLM_F_REQUEST;
    question.body.sdiag_protocol = IPPROTO_TCP;
    question.body.idiag_states = ~0U;
    // The other end: what is remote for us is local there.
    inet_diag_sockid& id = question.body.id;
    question.body.sdiag_family = put_address(request.remote_address, id.idiag_src);
    if (put_address(request.local_address, id.idiag_dst) != question.body.sdiag_family ||
        question.body.sdiag_family == 0) {
        return std::nullopt;
    }
    id.idiag_sport = htons(request.remote_port);
    id.idiag_dport = htons(request.local_port);
    id.idiag_cookie[0] = INET_DIAG_NOCOOKIE;
    id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;

    const auto found = ask(question);
    // If the connection is gone the kernel may offer a socket that listens on that port instead;
    // and of a socket that no process holds any more (inode 0) it says that root owns it.
    if (!found || found->id.idiag_sport != id.idiag_sport ||
        found->id.idiag_dport != id.idiag_dport || found->idiag_inode == 0) {
        return std::nullopt;
    }
    return found->idiag_uid;
}

}  // namespace oauth3::http
