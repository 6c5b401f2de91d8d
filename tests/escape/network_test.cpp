// Other machines, services of the host, other jails. Landlock knows connections of TCP since Linux
// 6.7 and refuses them with EACCES; on older kernels the network namespace alone refuses them.
#include "escape/attack.h"

using namespace oauth3::escape;

namespace {
const Words kRefused{"EACCES", "ENETUNREACH"};
}

ATTACK("connects to a service of the host", {"connect-tcp", "127.0.0.1", "{tcp}"}, kRefused,
       succeeds());
ATTACK("connects to a service of the host by IPv6", {"connect-tcp", "::1", "{tcp6}"},
       // A loopback interface that is down has no address for IPv6 to leave from.
       Words({"EACCES", "ENETUNREACH", "EADDRNOTAVAIL"}), succeeds());
ATTACK("connects to a service of the host by IPv4 in IPv6",
       {"connect-tcp", "::ffff:127.0.0.1", "{tcp}"}, kRefused, succeeds());
ATTACK("connects to an address of the internet", {"connect-tcp", "192.0.2.1", "443"}, kRefused,
       with_words({"connect-tcp", "127.0.0.1", "{tcp}"}, succeeds()));
ATTACK("connects to the cloud's metadata", {"connect-tcp", "169.254.169.254", "80"}, kRefused,
       with_words({"connect-tcp", "127.0.0.1", "{tcp}"}, succeeds()));
ATTACK("connects by sending the first data", {"connect-by-sending", "127.0.0.1", "{tcp}"}, kRefused,
       succeeds());
ATTACK("connects by the first write", {"connect-by-writing", "127.0.0.1", "{tcp}"}, kRefused,
       succeeds());
ATTACK("connects by TCP under another name", {"connect-mptcp", "127.0.0.1", "{tcp}"}, {"EPERM"},
       succeeds());
// Protocols: 132 SCTP, 136 UDP-Lite, 262 MPTCP.
ATTACK("opens a socket of a protocol that the kernel would load", {"open-socket", "2", "1", "132"},
       {"EPERM"}, with_words({"open-socket", "2", "1", "6"}, succeeds()));
ATTACK("opens a datagram socket of another protocol", {"open-socket", "10", "2", "136"}, {"EPERM"},
       with_words({"open-socket", "10", "2", "17"}, succeeds()));
ATTACK("sends a datagram to a service of the host", {"send-udp", "127.0.0.1", "{udp}"},
       {"ENETUNREACH"}, succeeds());
ATTACK("sends a datagram to a resolver of the internet", {"send-udp", "192.0.2.53", "53"},
       {"ENETUNREACH"}, with_words({"send-udp", "127.0.0.1", "{udp}"}, succeeds()));
ATTACK("connects to an abstract socket of the host", {"connect-local", "{abstract}"},
       {"ECONNREFUSED"}, succeeds());
ATTACK("connects to a socket file of the host", {"connect-local", "{folder}/socket"}, {"ENOENT"},
       succeeds());
ATTACK("connects to the container engine", {"connect-local", "/var/run/docker.sock"}, {"ENOENT"},
       with_words({"connect-local", "{folder}/socket"}, succeeds()));

// Families: 1 unix, 2 inet, 16 netlink, 17 packet, 38 alg, 40 vsock, 44 xdp. Types: 3 raw.
ATTACK("opens a raw socket", {"open-socket", "2", "3", "1"}, {"EPERM"}, succeeds_alone());
ATTACK("opens a raw socket of IPv6", {"open-socket", "10", "3", "58"}, {"EPERM"}, succeeds_alone());
ATTACK("opens a raw socket behind flags", {"open-socket", "2", "0x80803", "1"}, {"EPERM"},
       succeeds_alone());
ATTACK("opens a socket of the old packet type", {"open-socket", "2", "10", "768"}, {"EPERM"},
       succeeds_alone());
ATTACK("opens a packet socket", {"open-socket", "17", "3", "768"}, {"EPERM"}, succeeds_alone());
ATTACK("opens a packet socket for datagrams", {"open-socket", "17", "2", "768"}, {"EPERM"},
       succeeds_alone());
ATTACK("opens a netlink socket", {"open-socket", "16", "3", "0"}, {"EPERM"}, succeeds());
ATTACK("opens a netlink socket for audit", {"open-socket", "16", "3", "9"}, {"EPERM"},
       succeeds({"ok", "EPROTONOSUPPORT"}));
ATTACK("opens a netlink socket behind bits that the kernel ignores",
       {"open-socket", "16", "3", "0", "upper"}, {"EPERM"}, succeeds());
// Not bound to any network namespace: it leads from a virtual machine to what runs it.
ATTACK("opens a vsock", {"open-socket", "40", "1", "0"}, {"EPERM"},
       succeeds({"ok", "EAFNOSUPPORT"}));
ATTACK("opens a socket of the kernel's cryptography", {"open-socket", "38", "5", "0"}, {"EPERM"},
       succeeds({"ok", "EAFNOSUPPORT"}));
ATTACK("opens an xdp socket", {"open-socket", "44", "3", "0"}, {"EPERM"},
       succeeds_alone({"ok", "EAFNOSUPPORT"}));
ATTACK("opens a socket of any other family", {"open-any-other-socket"}, {"EPERM"}, succeeds());
ATTACK("switches the loopback interface on", {"switch-on-loopback"}, {"EPERM"}, succeeds_alone());
ATTACK("marks packets for other rules", {"mark-packets"}, {"EPERM"}, succeeds_alone());
