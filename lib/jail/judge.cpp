#include "jail/judge.h"

#include "jail/landlock.h"

#include <unistd.h>

#include <array>
#include <initializer_list>
#include <map>
#include <string>
#include <utility>

namespace oauth3::jail {
namespace {

/// The lines of the probe, by their keys.
using Seen = std::map<std::string, std::string, std::less<>>;

class Judge {
  public:
    Judge(const std::string& told, bool separate_ids, Findings& findings)
        : seen_(read(told)), separate_ids_(separate_ids), findings_(findings) {}

    void run() {
        check_user();
        check_files();
        check_processes();
        check_network();
        check_namespaces();
        check_rights();
        check_calls();
        check_landlock();
    }

  private:
    static Seen read(const std::string& text) {
        Seen seen;
        std::size_t begin = 0;
        while (begin < text.size()) {
            const std::size_t end = std::min(text.find('\n', begin), text.size());
            const std::string line = text.substr(begin, end - begin);
            const std::size_t blank = line.find(' ');
            if (blank != std::string::npos) seen[line.substr(0, blank)] = line.substr(blank + 1);
            begin = end + 1;
        }
        return seen;
    }

    const std::string& value(std::string_view key) const {
        static const std::string kNone = "nothing";
        const auto found = seen_.find(key);
        return found == seen_.end() ? kNone : found->second;
    }
    /// True if the probe told of it, and not that it succeeded.
    bool refused(std::string_view key) const {
        return seen_.find(key) != seen_.end() && value(key) != "ok";
    }
    std::string tried(std::initializer_list<std::string_view> keys) const {
        std::string out;
        for (const std::string_view key : keys) {
            out += out.empty() ? "" : ", ";
            out += key.substr(key.find('.') + 1);
            out += ": " + value(key);
        }
        return out;
    }

    void check_user() {
        const bool plain = value("uid") == "1000";
        if (!plain)
            return findings_.add("user", false,
                                 "the program is uid " + value("uid") + " in the jail");
        if (separate_ids_)
            return findings_.add("user", true,
                                 "each jail runs as a host user of its own, who owns nothing");
        findings_.add(
            "user", Verdict::weaker,
            "jails run as this server's own user, so that only the other layers keep them apart",
            "run the server as root, or give its user subordinate ids (usermod --add-subuids "
            "200000-265535 --add-subgids 200000-265535 USER) and install newuidmap (uidmap)");
    }

    void check_files() {
        const bool good = refused("read./etc/passwd") && refused("read./home") &&
                          refused("read./proc/sys") && refused("read./proc/sysrq-trigger") &&
                          refused("write./") && refused("write./dev") &&
                          value("write./tmp") == "ok";
        findings_.add("files", good,
                      "read " + tried({"read./etc/passwd", "read./home", "read./proc/sys"}) +
                          "; write " + tried({"write./", "write./dev", "write./tmp"}));
    }

    void check_processes() {
        findings_.add("processes", value("pid") == "2" && refused("read./proc/1/environ"),
                      "the program is pid " + value("pid") + " and sees no other's, " +
                          tried({"read./proc/1/environ"}));
    }

    /// Any other answer, "in progress" above all, is a way out.
    void check_network() {
        const auto shut = [&](const char* key) {
            return value(key) == "ENETUNREACH" || value(key) == "EACCES";
        };
        findings_.add("network", shut("connect.loopback") && shut("connect.outside"),
                      "connect " + tried({"connect.loopback", "connect.outside"}));
    }

    /// True if the probe stood in another namespace of this kind than we do.
    bool own_namespace(const std::string& kind) const {
        std::array<char, 64> ours{};
        const bool known =
            ::readlink(("/proc/self/ns/" + kind).c_str(), ours.data(), ours.size() - 1) > 0;
        return known && refused("ns." + kind) && value("ns." + kind) != ours.data();
    }

    void check_namespaces() {
        std::string shared;
        for (const char* kind : {"cgroup", "ipc", "mnt", "net", "pid", "user", "uts"})
            if (!own_namespace(kind)) shared += std::string(shared.empty() ? "" : ", ") + kind;
        if (!shared.empty())
            return findings_.add("namespaces", false, "shared with the host: " + shared);
        if (own_namespace("time"))
            return findings_.add("namespaces", true, "all eight kinds are the jail's own");
        findings_.add("namespaces", Verdict::weaker,
                      "all but that of time: a program can tell how long the machine has been up",
                      "a kernel with CONFIG_TIME_NS");
    }

    void check_rights() {
        bool none = value("NoNewPrivs") == "1";
        for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"})
            none = none && value(set) == "0000000000000000";
        findings_.add("privileges", none,
                      "capabilities " + value("CapEff") + ", bounding set " + value("CapBnd") +
                          ", no_new_privs " + value("NoNewPrivs"));
    }

    void check_calls() {
        const std::initializer_list<std::string_view> calls = {
            "call.mount",    "call.unshare", "call.ptrace",  "call.keyctl", "call.bpf",
            "call.io_uring", "call.perf",    "call.netlink", "call.unknown"};
        bool good = value("Seccomp") == "2" && value("call.unknown") == "ENOSYS";
        for (const std::string_view call : calls)
            if (call != "call.unknown") good = good && value(call) == "EPERM";
        findings_.add("system-calls", good, tried(calls), "a kernel with CONFIG_SECCOMP_FILTER");
    }

    /// Of all that is tried, only Landlock refuses this.
    void check_landlock() {
        const int abi = landlock::abi();
        const bool holds = value("link.shm") == "EACCES";
        std::string text = "version " + std::to_string(abi) +
                           " of Landlock, a link in /dev/shm: " + value("link.shm");
        if (!holds)
            return findings_.add(
                "landlock", false, std::move(text),
                "a kernel (5.13 or newer) with CONFIG_SECURITY_LANDLOCK, and \"landlock\" in "
                "its parameter lsm=");
        if (abi >= landlock::kTcp) return findings_.add("landlock", true, std::move(text));
        findings_.add("landlock", Verdict::weaker, std::move(text) + "; it does not know TCP yet",
                      "Linux 6.7 or newer");
    }

    Seen seen_;
    bool separate_ids_;
    Findings& findings_;
};

}  // namespace

void judge(const std::string& told, bool separate_ids, Findings& findings) {
    Judge(told, separate_ids, findings).run();
}

}  // namespace oauth3::jail
