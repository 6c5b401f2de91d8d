// Rights: other ids, capabilities, new namespaces, and other doors to the kernel than the filter's.
#include "escape/attack.h"

using namespace oauth3::escape;

ATTACK("makes a user namespace", {"new-namespace", "user"}, {"EPERM"}, succeeds());
ATTACK("makes a mount namespace", {"new-namespace", "mnt"}, {"EPERM"}, succeeds_alone());
ATTACK("makes a pid namespace", {"new-namespace", "pid"}, {"EPERM"}, succeeds_alone());
ATTACK("makes a network namespace", {"new-namespace", "net"}, {"EPERM"}, succeeds_alone());
ATTACK("makes an ipc namespace", {"new-namespace", "ipc"}, {"EPERM"}, succeeds_alone());
ATTACK("makes a uts namespace", {"new-namespace", "uts"}, {"EPERM"}, succeeds_alone());
ATTACK("makes a cgroup namespace", {"new-namespace", "cgroup"}, {"EPERM"}, succeeds_alone());
ATTACK("clones into a user namespace", {"clone-into", "user"}, {"EPERM"}, succeeds());
ATTACK("clones into a network namespace", {"clone-into", "net"}, {"EPERM"}, succeeds_alone());
ATTACK("clones into a user namespace behind bits that the kernel ignores",
       {"clone-into-with-upper-half", "user"}, {"EPERM"}, succeeds());
ATTACK("clones into a user namespace by clone3", {"clone3-into", "user"}, {"ENOSYS"}, succeeds());
ATTACK("clones into a time namespace by clone3", {"clone3-into", "time"}, {"ENOSYS"},
       succeeds_alone());
ATTACK("joins the namespaces of pid 1", {"join-namespace", "/proc/1/ns/mnt"}, {"ENOENT"},
       with_words({"join-namespace", "/proc/self/ns/net"}, succeeds_alone()));
ATTACK("joins a namespace", {"join-namespace", "/proc/self/ns/net"}, {"EPERM"}, succeeds_alone());
ATTACK("allows itself everything, then makes a user namespace", {"allow-all-then-new-namespace"},
       {"EPERM"}, succeeds());
ATTACK("becomes root", {"become-user", "0"}, {"EPERM"}, succeeds_alone());
ATTACK("becomes the group of root", {"become-group", "0"}, {"EPERM"}, succeeds_alone());
ATTACK("becomes root with all three ids", {"become-all", "0"}, {"EPERM"}, succeeds_alone());
ATTACK("becomes nobody", {"become-user", "65534"}, {"EPERM"}, succeeds_as_root());
ATTACK("joins the group of root", {"join-groups"}, {"EPERM"}, succeeds_as_root());
ATTACK("takes a capability", {"take-capability"}, {"EPERM"}, succeeds_alone());
ATTACK("unlocks what root may do", {"unlock-root"}, {"EPERM"}, succeeds_alone());
ATTACK("uses a rare option of prctl", {"rare-prctl"}, {"EPERM"}, succeeds());
ATTACK("uses a rare option of prctl behind bits that the kernel ignores", {"rare-prctl", "upper"},
       {"EPERM"}, succeeds());
// Programs for 32 bit are an option of the kernel.
ATTACK("calls the kernel as a program for 32 bit", {"call-as-32-bit"}, {"SIGSYS"},
       succeeds({"ok", ""}));
ATTACK("calls the kernel as an x32 program", {"call-as-x32"}, {"SIGSYS"},
       succeeds({"ok", "ENOSYS"}));
ATTACK("calls a number that no kernel has", {"call-unknown"}, {"ENOSYS"},
       not_shown("no kernel has it"));
