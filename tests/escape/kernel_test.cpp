// Parts of the kernel that no program here needs. ENOSYS outside: the kernel was built without.
#include "escape/attack.h"

using namespace oauth3::escape;

ATTACK("adds a key", {"add-key"}, {"EPERM"}, succeeds());
ATTACK("finds a key", {"find-key"}, {"EPERM"}, succeeds());
ATTACK("opens the keyring of its user", {"list-keys"}, {"EPERM"}, succeeds());
ATTACK("makes a bpf map", {"make-bpf-map"}, {"EPERM"}, succeeds_as_root());
ATTACK("sets up io_uring", {"io-uring-setup"}, {"EPERM"}, succeeds_as_root({"ok", "ENOSYS"}));
ATTACK("enters io_uring", {"io-uring-enter"}, {"EPERM"}, succeeds({"EBADF", "ENOSYS"}));
ATTACK("registers with io_uring", {"io-uring-register"}, {"EPERM"},
       succeeds_as_root({"EBADF", "EINVAL", "ENOSYS"}));
ATTACK("handles page faults itself", {"userfaultfd"}, {"EPERM"}, succeeds({"ok", "ENOSYS"}));
ATTACK("measures with perf", {"perf-event-open"}, {"EPERM"}, succeeds_as_root());
ATTACK("loads a module from memory", {"init-module"}, {"EPERM"},
       succeeds_as_root({"ENOEXEC", "ENOSYS"}));
ATTACK("loads a module from a file", {"finit-module"}, {"EPERM"},
       succeeds_as_root({"ENOEXEC", "ENOSYS"}));
ATTACK("unloads a module", {"delete-module"}, {"EPERM"}, succeeds_as_root({"ENOENT", "ENOSYS"}));
ATTACK("loads another kernel", {"kexec-load"}, {"EPERM"}, succeeds_as_root({"EINVAL", "ENOSYS"}));
ATTACK("restarts the machine", {"reboot"}, {"EPERM"}, succeeds_as_root({"EINVAL"}));
ATTACK("swaps to a file", {"swap-on"}, {"EPERM"}, succeeds_as_root({"ENOENT", "ENOSYS"}));
ATTACK("stops swapping", {"swap-off"}, {"EPERM"}, succeeds_as_root({"ENOENT", "ENOSYS"}));
ATTACK("reads the kernel's log", {"read-kernel-log"}, {"EPERM"}, succeeds_as_root());
ATTACK("has processes accounted in a file", {"account-processes"}, {"EPERM"},
       succeeds_as_root({"ENOENT", "ENOSYS"}));
ATTACK("switches quotas off", {"set-quota"}, {"EPERM"}, succeeds({"ENOENT", "ENOSYS"}));
ATTACK("sets the host name", {"set-host-name"}, {"EPERM"}, succeeds_alone());
ATTACK("sets the domain name", {"set-domain-name"}, {"EPERM"}, succeeds_alone());
ATTACK("sets the time of day", {"set-time-of-day"}, {"EPERM"}, succeeds_as_root());
ATTACK("sets the clock", {"set-clock"}, {"EPERM"}, succeeds({"EINVAL"}));
ATTACK("tunes the clock", {"tune-clock"}, {"EPERM"}, succeeds_as_root());
ATTACK("tunes a clock by its number", {"tune-clock-by-number"}, {"EPERM"}, succeeds_as_root());
ATTACK("opens all ports of the machine", {"all-ports"}, {"EPERM"},
       succeeds_as_root({"ok", "ENOSYS"}));
ATTACK("opens one port of the machine", {"one-port"}, {"EPERM"},
       succeeds_as_root({"ok", "ENOSYS"}));
ATTACK("switches address randomisation off", {"no-randomisation"}, {"EPERM"}, succeeds());
ATTACK("types into a terminal", {"type-into-terminal"}, {"EPERM"}, succeeds_as_root());
ATTACK("types into a terminal behind bits that the kernel ignores", {"type-into-terminal", "upper"},
       {"EPERM"}, succeeds_as_root());
ATTACK("pastes into a terminal", {"paste-into-terminal"}, {"EPERM"}, succeeds({"ENOTTY"}));
ATTACK("pastes into a terminal behind bits that the kernel ignores",
       {"paste-into-terminal", "upper"}, {"EPERM"}, succeeds({"ENOTTY"}));
