// The way to other machines, to the host's own services and to other jails.
#include "words.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>

namespace hostile {
namespace {

struct Address {
    sockaddr_storage bytes{};
    socklen_t size = 0;
    const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&bytes); }
    int family() const { return bytes.ss_family; }
};

Address internet(const std::string& host, const std::string& port) {
    Address address;
    const auto number_of_port = htons(static_cast<in_port_t>(number(port)));
    auto* four = reinterpret_cast<sockaddr_in*>(&address.bytes);
    auto* six = reinterpret_cast<sockaddr_in6*>(&address.bytes);
    if (::inet_pton(AF_INET, host.c_str(), &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = number_of_port;
        address.size = sizeof *four;
    } else if (::inet_pton(AF_INET6, host.c_str(), &six->sin6_addr) == 1) {
        six->sin6_family = AF_INET6;
        six->sin6_port = number_of_port;
        address.size = sizeof *six;
    }
    return address;
}

/// A path, or a name in the abstract space of the network namespace if it starts with "@".
Address local(std::string name) {
    Address address;
    auto* to = reinterpret_cast<sockaddr_un*>(&address.bytes);
    to->sun_family = AF_UNIX;
    if (name.starts_with('@')) name.front() = '\0';
    name.resize(std::min(name.size(), sizeof to->sun_path - 1));
    std::memcpy(to->sun_path, name.data(), name.size());
    address.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    return address;
}

int make_socket(int family, int type, int protocol = 0) {
    return static_cast<int>(need(::socket(family, type, protocol), "socket"));
}

void connect_tcp(const Arguments& a) {
    const Address to = internet(a.at(0), a.at(1));
    tell(::connect(make_socket(to.family(), SOCK_STREAM), to.get(), to.size));
}

/// Connects without connect(2): the first data goes with the first packet.
void connect_by_sending(const Arguments& a) {
    const Address to = internet(a.at(0), a.at(1));
    const int fd = make_socket(to.family(), SOCK_STREAM);
    tell(::sendto(fd, "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL, to.get(), to.size));
}

/// And the same with the option that makes connect(2) wait for the first write.
void connect_by_writing(const Arguments& a) {
    const Address to = internet(a.at(0), a.at(1));
    const int fd = make_socket(to.family(), SOCK_STREAM);
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on, sizeof on);
    if (::connect(fd, to.get(), to.size) != 0) return tell(-1);
    tell(::send(fd, "x", 1, MSG_NOSIGNAL));
}

/// TCP by another name, which filters of TCP may not know.
void connect_mptcp(const Arguments& a) {
    constexpr int kMptcp = 262;
    const Address to = internet(a.at(0), a.at(1));
    const int fd = ::socket(to.family(), SOCK_STREAM, kMptcp);
    tell(fd < 0 ? -1 : ::connect(fd, to.get(), to.size));
}

void send_udp(const Arguments& a) {
    const Address to = internet(a.at(0), a.at(1));
    tell(::sendto(make_socket(to.family(), SOCK_DGRAM), "x", 1, 0, to.get(), to.size));
}

void connect_local(const Arguments& a) {
    const Address to = local(a.at(0));
    tell(::connect(make_socket(AF_UNIX, SOCK_STREAM), to.get(), to.size));
}

void send_local(const Arguments& a) {
    const Address to = local(a.at(0));
    tell(::sendto(make_socket(AF_UNIX, SOCK_DGRAM), "x", 1, 0, to.get(), to.size));
}

/// Family, type, protocol and what stands in the upper half of the first argument.
void open_socket(const Arguments& a) {
    const unsigned long upper = a.size() > 3 ? 1UL << 32 : 0;
    tell(::syscall(SYS_socket, static_cast<unsigned long>(number(a.at(0))) | upper, number(a.at(1)),
                   number(a.at(2))));
}

/// The first family that can be had beyond those of ordinary programs.
void open_any_other_socket(const Arguments&) {
    for (int family = 0; family < 64; ++family) {
        if (family == AF_UNIX || family == AF_INET || family == AF_INET6) continue;
        for (const int type : {SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET})
            if (::socket(family, type, 0) >= 0) return say("ok");
    }
    tell(-1);
}

void open_socket_pair(const Arguments& a) {
    int pair[2] = {-1, -1};
    tell(::socketpair(static_cast<int>(number(a.at(0))), SOCK_STREAM, 0, pair));
}

void switch_on_loopback(const Arguments&) {
    ifreq request{};
    std::strncpy(request.ifr_name, "lo", sizeof request.ifr_name - 1);
    request.ifr_flags = IFF_UP;
    tell(::ioctl(make_socket(AF_INET, SOCK_DGRAM), SIOCSIFFLAGS, &request));
}

/// Packets that pass by rules made for others.
void mark_packets(const Arguments&) {
    const int mark = 1;
    tell(::setsockopt(make_socket(AF_INET, SOCK_STREAM), SOL_SOCKET, SO_MARK, &mark, sizeof mark));
}

constexpr Word kWords[] = {
    {"connect-tcp", connect_tcp},
    {"connect-by-sending", connect_by_sending},
    {"connect-by-writing", connect_by_writing},
    {"connect-mptcp", connect_mptcp},
    {"send-udp", send_udp},
    {"connect-local", connect_local},
    {"send-local", send_local},
    {"open-socket", open_socket},
    {"open-any-other-socket", open_any_other_socket},
    {"open-socket-pair", open_socket_pair},
    {"switch-on-loopback", switch_on_loopback},
    {"mark-packets", mark_packets},
};

}  // namespace

std::span<const Word> network_words() {
    return kWords;
}

}  // namespace hostile
