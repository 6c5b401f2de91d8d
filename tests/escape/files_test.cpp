// Files of the host, and what the jail's own could be turned into.
#include "escape/attack.h"

using namespace oauth3::escape;

ATTACK("reads the host's list of users", {"open", "/etc/passwd"}, {"ENOENT"}, succeeds());
ATTACK("reads the host's passwords", {"open", "/etc/shadow"}, {"ENOENT"}, succeeds_as_root());
ATTACK("reads a file of the server by its path", {"open", "{folder}/secret"}, {"ENOENT"},
       succeeds());
ATTACK("lists the server's folder", {"list", "{folder}"}, {"ENOENT"}, succeeds());
ATTACK("reads the server's environment", {"open", "/proc/{server}/environ"}, {"ENOENT"},
       succeeds());
ATTACK("opens the server's memory", {"open", "/proc/{server}/mem"}, {"ENOENT"}, succeeds_as_root());
ATTACK("reads the spawner's environment", {"open", "/proc/{helper}/environ"}, {"ENOENT"},
       succeeds());
// Outside, the server stands for pid 1.
ATTACK("reads the environment of pid 1", {"open", "/proc/1/environ"}, {"ENOENT"},
       with_words({"open", "/proc/{server}/environ"}, succeeds()));
ATTACK("opens the memory of pid 1, which holds the job", {"open", "/proc/1/mem"}, {"ENOENT"},
       with_words({"open", "/proc/{server}/mem"}, succeeds_as_root()));
ATTACK("opens a descriptor of pid 1", {"open", "/proc/1/fd/3"}, {"ENOENT"},
       with_words({"list", "/proc/{server}/fd"}, succeeds()));
ATTACK("goes through the root of pid 1", {"open", "/proc/1/root/etc/passwd"}, {"ENOENT"},
       with_words({"open", "/proc/{server}/root/etc/passwd"}, succeeds()));
ATTACK("goes through its own root in proc", {"open", "/proc/self/root/../../etc/passwd"},
       {"ENOENT"}, succeeds());
ATTACK("goes through its own working folder in proc",
       {"open", "/proc/self/cwd/../../../../../../../../../../../../../../etc/passwd"}, {"ENOENT"},
       succeeds());
ATTACK("goes through the working folder of a thread",
       {"open", "/proc/thread-self/root{folder}/secret"}, {"ENOENT"}, succeeds());
ATTACK("climbs above the root", {"climb", "/", "etc/passwd"}, {"ENOENT"}, succeeds());
ATTACK("climbs above its own folder", {"climb", "/tmp", "etc/passwd"}, {"ENOENT"}, succeeds());
ATTACK("climbs out of a folder that is mounted from the host", {"climb", "/extra", "etc/passwd"},
       {"ENOENT"}, with_words({"climb", "{folder}/shared", "etc/passwd"}, succeeds()));
ATTACK("reads a file next to a folder that is mounted from the host", {"open", "/extra/../secret"},
       {"ENOENT"}, with_words({"open", "{folder}/shared/../secret"}, succeeds()));
ATTACK("follows a link of the host that leads out", {"open", "/extra/link"}, {"ENOENT"},
       with_words({"open", "{folder}/shared/link"}, succeeds()));
ATTACK("follows a relative link of the host that leads out", {"open", "/extra/link-up"}, {"ENOENT"},
       with_words({"open", "{folder}/shared/link-up"}, succeeds()));
ATTACK("follows a link of the host through proc", {"open", "/extra/link-through-proc"}, {"ENOENT"},
       with_words({"open", "{folder}/shared/link-through-proc"}, succeeds()));
ATTACK("follows a link of the host to its root", {"open", "/extra/link-to-root/etc/passwd"},
       {"ENOENT"}, with_words({"open", "{folder}/shared/link-to-root/etc/passwd"}, succeeds()));
ATTACK("makes a link to a file of the host", {"open-through-link", "/etc/passwd", "/tmp/link"},
       {"ENOENT"},
       with_words({"open-through-link", "/etc/passwd", "{folder}/new-link"}, succeeds()));
ATTACK("makes a link through the root of pid 1",
       {"open-through-link", "/proc/1/root/etc/passwd", "/tmp/link"}, {"ENOENT"},
       with_words({"open-through-link", "/proc/{server}/root/etc/passwd", "{folder}/new-link-1"},
                  succeeds()));
ATTACK("takes a file of the host along by a hard link", {"hard-link", "/extra/file", "/tmp/file"},
       {"EXDEV"}, with_words({"hard-link", "{folder}/shared/file", "{folder}/hard"}, succeeds()));
ATTACK("uses a folder that the server left open", {"use-leaked-descriptor"}, {"EBADF"}, succeeds());

ATTACK("writes to a file of the host that everybody may write to", {"open-to-write", "/extra/file"},
       {"EROFS"}, with_words({"open-to-write", "{folder}/shared/file"}, succeeds()));
ATTACK("opens for writing what it opened for reading", {"reopen-to-write", "/extra/file"},
       {"EROFS"}, with_words({"reopen-to-write", "{folder}/shared/file"}, succeeds()));
ATTACK("creates a file beside the program", {"create", "/new"}, {"EROFS"},
       with_words({"create", "{folder}/new"}, succeeds()));
ATTACK("cuts a file of the root", {"cut", "/open"}, {"EROFS"},
       with_words({"cut", "{folder}/victim"}, succeeds()));
ATTACK("deletes a file of the host", {"delete", "/extra/file"}, {"EROFS"},
       with_words({"delete", "{folder}/condemned"}, succeeds()));
ATTACK("gives the program the setuid bit", {"make-setuid", "/hostile"}, {"EROFS"},
       with_words({"make-setuid", "{folder}/victim"}, succeeds()));
ATTACK("runs a setuid program of the root", {"run-setuid", "/setuid"}, {"its own"},
       with_words({"run-setuid-outside"}, succeeds_as_root()));
ATTACK("gives a file to root", {"give-to-root", "/tmp/file"}, {"EINVAL"},
       with_words({"give-to-root", "{folder}/given"}, succeeds_alone()));
ATTACK("makes a device file of the disk", {"make-disk", "/tmp/disk"}, {"EPERM"},
       with_words({"make-disk", "{folder}/disk"}, succeeds_as_root()));
ATTACK("makes a device file of the machine's memory", {"make-memory-device", "/tmp/mem"}, {"EPERM"},
       with_words({"make-memory-device", "{folder}/mem"}, succeeds_as_root()));
ATTACK("asks for a file's handle", {"get-handle", "/"}, {"EPERM"}, succeeds());
ATTACK("opens any file by its handle", {"open-handle", "/"}, {"EPERM"}, succeeds_as_root());
ATTACK("runs a program that it wrote", {"run-copy", "/tmp/program"}, {"EACCES"},
       with_words({"run-copy", "{folder}/program"}, succeeds()));
ATTACK("maps code that it wrote", {"map-code", "/tmp/program"}, {"EPERM"},
       with_words({"map-code", "{folder}/code"}, succeeds()));
ATTACK("turns a mapped file that it wrote into code", {"map-then-make-code", "/tmp/program"},
       {"EACCES"}, with_words({"map-then-make-code", "{folder}/later"}, succeeds()));

ATTACK("opens core_pattern for writing", {"open-to-write", "/proc/sys/kernel/core_pattern"},
       {"ENOENT"}, succeeds_as_root());
ATTACK("opens a switch of the kernel for writing",
       {"open-to-write", "/proc/sys/kernel/randomize_va_space"}, {"ENOENT"}, succeeds_as_root());
ATTACK("opens sysrq-trigger for writing", {"open-to-write", "/proc/sysrq-trigger"}, {"ENOENT"},
       with_words({"open-to-write", "/proc/sys/kernel/core_pattern"}, succeeds_as_root()));
ATTACK("spares itself from the memory killer", {"write-oom-score"}, {"EROFS"}, succeeds());
ATTACK("opens its map of user ids for writing", {"open-to-write", "/proc/self/uid_map"}, {"EROFS"},
       succeeds());
ATTACK("reads the kernel's symbols", {"open", "/proc/kallsyms"}, {"ENOENT"}, succeeds());
ATTACK("reads the kernel's keys", {"open", "/proc/keys"}, {"ENOENT"}, succeeds());
ATTACK("reads the kernel's log device", {"open", "/dev/kmsg"}, {"ENOENT"}, succeeds_as_root());
ATTACK("opens the machine's terminal multiplexer", {"open", "/dev/ptmx"}, {"ENOENT"}, succeeds());
ATTACK("opens the network tunnel device", {"open", "/dev/net/tun"}, {"ENOENT"}, succeeds_as_root());
ATTACK("opens the file system in user space", {"open", "/dev/fuse"}, {"ENOENT"},
       with_words({"open", "/dev/null"}, succeeds()));
ATTACK("looks into the kernel's objects", {"list", "/sys/kernel"}, {"ENOENT"}, succeeds());
ATTACK("looks for control groups", {"list", "/sys/fs/cgroup"}, {"ENOENT"}, succeeds());
