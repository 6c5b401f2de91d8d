// The tree of mounts. EINVAL and EBADF outside: the kernel would, but not with what it was given.
#include "escape/attack.h"

using namespace oauth3::escape;

ATTACK("mounts a file system", {"mount", "tmpfs", "/tmp"}, {"EPERM"}, succeeds_alone());
ATTACK("mounts proc without a mask", {"mount", "proc", "/tmp"}, {"EPERM"}, succeeds_alone());
ATTACK("mounts the kernel's objects", {"mount", "sysfs", "/tmp"}, {"EPERM"}, succeeds_alone());
ATTACK("mounts one folder on another", {"mount-bind", "/", "/tmp"}, {"EPERM"}, succeeds_alone());
ATTACK("moves a mount", {"mount-moved", "/proc", "/tmp"}, {"EPERM"}, succeeds_alone({"EINVAL"}));
ATTACK("makes the root writable", {"remount", "/"}, {"EPERM"},
       with_words({"remount-own", "/mnt"}, succeeds_alone()));
ATTACK("makes its own folder hold programs and devices", {"remount", "/tmp"}, {"EPERM"},
       with_words({"remount-own", "/mnt"}, succeeds_alone()));
ATTACK("shows what proc hides", {"remount", "/proc"}, {"EPERM"},
       with_words({"remount-own", "/mnt"}, succeeds_alone()));
ATTACK("uncovers what lies below a mount", {"unmount", "/tmp"}, {"EPERM"},
       succeeds_alone({"EINVAL"}));
ATTACK("uncovers what lies below proc", {"unmount", "/proc"}, {"EPERM"},
       succeeds_alone({"EINVAL"}));
ATTACK("uncovers what lies below the root", {"unmount", "/"}, {"EPERM"},
       succeeds_alone({"EINVAL"}));
ATTACK("turns the root around", {"pivot", "/tmp"}, {"EPERM"}, succeeds_alone());
ATTACK("changes the root to leave it", {"change-root", "/tmp"}, {"EPERM"}, succeeds_alone());
ATTACK("copies a tree of mounts", {"copy-tree", "/"}, {"EPERM"}, succeeds_alone());
ATTACK("attaches a mount elsewhere", {"attach-tree", "/proc", "/tmp"}, {"EPERM"},
       succeeds_alone({"EINVAL"}));
ATTACK("opens a new file system", {"new-filesystem", "tmpfs"}, {"EPERM"}, succeeds_alone());
ATTACK("sets up a new file system", {"set-up-filesystem"}, {"EPERM"},
       succeeds({"EBADF", "EINVAL"}));
ATTACK("mounts a new file system", {"mount-filesystem"}, {"EPERM"}, succeeds_alone({"EBADF"}));
ATTACK("picks a file system to set it up anew", {"pick-filesystem", "/"}, {"EPERM"},
       succeeds_alone());
ATTACK("makes the root writable by its attributes", {"make-writable", "/"}, {"EPERM"},
       with_words({"make-own-writable", "/mnt"}, succeeds_alone()));
// Since Linux 6.8, and perhaps newer than the list of calls that libseccomp has.
ATTACK("asks about a mount", {"describe-mount"}, {"EPERM", "ENOSYS"},
       not_shown("a kernel before 6.8 does not know it either"));
ATTACK("lists the mounts", {"list-mounts"}, {"EPERM", "ENOSYS"},
       not_shown("a kernel before 6.8 does not know it either"));
