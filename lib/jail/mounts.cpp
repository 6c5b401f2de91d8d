#include "jail/mounts.h"

#include "base/error.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <initializer_list>

namespace oauth3::jail::mounts {
namespace {

struct Option {
    const char* key;
    std::string value;
};

/// Only adds attributes: those that the host's mount has (and that are locked in a user
/// namespace) stay.
void add_attributes(const base::Fd& tree, std::uint64_t attributes, const std::string& step) {
    mount_attr wanted{};
    wanted.attr_set = attributes;
    wanted.propagation = MS_PRIVATE;
    if (::mount_setattr(tree.get(), "", AT_EMPTY_PATH | AT_RECURSIVE, &wanted, sizeof wanted) != 0)
        base::throw_errno(step);
}

/// A copy of what is mounted at `path` and, since submounts are locked to their parents in a user
/// namespace, of all below it.
base::Fd copy_tree(const std::string& path, std::uint64_t attributes) {
    const std::string step = "bind " + path;
    base::Fd tree(
        ::open_tree(AT_FDCWD, path.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE));
    if (!tree) base::throw_errno(step);
    add_attributes(tree, attributes, step);
    return tree;
}

base::Fd new_filesystem(const char* type, std::initializer_list<Option> options,
                        unsigned attributes, const std::string& step) {
    const base::Fd context(::fsopen(type, FSOPEN_CLOEXEC));
    if (!context) base::throw_errno(step);
    for (const Option& option : options)
        if (::fsconfig(context.get(), FSCONFIG_SET_STRING, option.key, option.value.c_str(), 0) !=
            0)
            base::throw_errno(step + " (" + option.key + ")");
    if (::fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0)
        base::throw_errno(step);
    base::Fd tree(::fsmount(context.get(), FSMOUNT_CLOEXEC, attributes));
    if (!tree) base::throw_errno(step);
    return tree;
}

void attach(const base::Fd& tree, int folder, const char* path, const std::string& step) {
    unsigned flags = MOVE_MOUNT_F_EMPTY_PATH;
    if (*path == '\0') flags |= MOVE_MOUNT_T_EMPTY_PATH;
    if (::move_mount(tree.get(), "", folder, path, flags) != 0) base::throw_errno(step);
}

/// A path as the jail will see it: symbolic links cannot lead out of the root.
base::Fd open_inside(const base::Fd& root, const std::string& path, const std::string& step) {
    open_how how{};
    how.flags = O_PATH | O_CLOEXEC;
    how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
    base::Fd fd(
        static_cast<int>(::syscall(SYS_openat2, root.get(), path.c_str(), &how, sizeof how)));
    if (!fd) base::throw_errno(step);
    return fd;
}

/// A place to write, of limited size, from which nothing can be run.
base::Fd new_scratch(const Isolation& isolation, const std::string& step) {
    return new_filesystem("tmpfs",
                          {{"mode", "0700"},
                           {"size", std::to_string(isolation.tmp_bytes)},
                           {"nr_inodes", std::to_string(isolation.limits.tmp_inodes)}},
                          MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, step);
}

void fill_dev(const Isolation& isolation, const Sources& sources) {
    const base::Fd dev = new_filesystem("tmpfs", {{"mode", "0755"}, {"size", "64k"}},
                                        MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, "mount /dev");
    attach(dev, sources.root.get(), "dev", "mount /dev");
    for (const auto& [tree, name] : sources.devices) {
        const std::string step = "bind /dev/" + name;
        const base::Fd place(
            ::openat(dev.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444));
        if (!place) base::throw_errno(step);
        attach(tree, dev.get(), name.c_str(), step);
    }
    constexpr std::array<std::pair<const char*, const char*>, 4> kLinks{
        {{"/proc/self/fd", "fd"},
         {"/proc/self/fd/0", "stdin"},
         {"/proc/self/fd/1", "stdout"},
         {"/proc/self/fd/2", "stderr"}}};
    for (const auto& [target, name] : kLinks)
        if (::symlinkat(target, dev.get(), name) != 0)
            base::throw_errno(std::string("link /dev/") + name);
    if (::mkdirat(dev.get(), "shm", 0755) != 0) base::throw_errno("make /dev/shm");
    add_attributes(dev, MOUNT_ATTR_RDONLY, "make /dev read-only");
    attach(new_scratch(isolation, "mount /dev/shm"), dev.get(), "shm", "mount /dev/shm");
}

}  // namespace

void cut_propagation() {
    if (::mount(nullptr, "/", nullptr, MS_PRIVATE | MS_REC, nullptr) != 0)
        base::throw_errno("make mounts private");
}

Sources take(const Isolation& isolation) {
    constexpr std::uint64_t kReadOnly = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
    Sources sources;
    sources.root = copy_tree(isolation.root.native(), kReadOnly);
    for (const Mount& mount : isolation.mounts)
        sources.extra.emplace_back(copy_tree(mount.source.native(), kReadOnly),
                                   mount.target.native());
    for (const char* name : {"null", "zero", "full", "random", "urandom"})
        sources.devices.emplace_back(
            copy_tree(std::string("/dev/") + name,
                      MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC),
            name);
    // pivot_root(2) wants a mount point, and this one is surely not locked.
    attach(sources.root, AT_FDCWD, isolation.root.c_str(), "mount the root");
    return sources;
}

void fill(const Isolation& isolation, const Sources& sources) {
    for (const auto& [tree, target] : sources.extra) {
        const std::string step = "bind to " + target;
        attach(tree, open_inside(sources.root, target, step).get(), "", step);
    }
    fill_dev(isolation, sources);
    attach(new_scratch(isolation, "mount /tmp"), sources.root.get(), "tmp", "mount /tmp");
    const base::Fd proc =
        new_filesystem("proc", {{"hidepid", "invisible"}, {"subset", "pid"}},
                       MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
                       "mount /proc");
    attach(proc, sources.root.get(), "proc", "mount /proc");
}

void pivot(const base::Fd& root) {
    if (::fchdir(root.get()) != 0) base::throw_errno("enter the root");
    // With both names the same folder, the old root ends up on top of the new one, where it can
    // be let go without a folder to put it in (pivot_root(2), notes).
    if (::syscall(SYS_pivot_root, ".", ".") != 0) base::throw_errno("pivot_root");
    if (::umount2(".", MNT_DETACH) != 0) base::throw_errno("let go of the host's root");
    if (::chdir("/") != 0) base::throw_errno("enter the new root");
}

}  // namespace oauth3::jail::mounts
