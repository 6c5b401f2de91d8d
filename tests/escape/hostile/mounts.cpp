// The tree of mounts: the jail's root, and all ways to change what is mounted where.
#include "words.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>

// <sys/mount.h> and <linux/mount.h> do not go together in every C library.
extern "C" int mount(const char*, const char*, const char*, unsigned long, const void*);
extern "C" int umount2(const char*, int);

namespace hostile {
namespace {

constexpr unsigned long kBind = 4096;
constexpr unsigned long kRecursive = 16384;
constexpr unsigned long kRemount = 32;
constexpr unsigned long kMove = 8192;
constexpr int kDetach = 2;

void mount_new(const Arguments& a) {
    tell(::mount("none", a.at(1).c_str(), a.at(0).c_str(), 0, nullptr));
}

void mount_bind(const Arguments& a) {
    tell(::mount(a.at(0).c_str(), a.at(1).c_str(), nullptr, kBind | kRecursive, nullptr));
}

void mount_moved(const Arguments& a) {
    tell(::mount(a.at(0).c_str(), a.at(1).c_str(), nullptr, kMove, nullptr));
}

/// Writable, and programs with the setuid bit and devices allowed.
void remount(const Arguments& a) {
    tell(::mount(nullptr, a.at(0).c_str(), nullptr, kRemount | kBind, nullptr));
}

/// A mount point of one's own first: the host's are locked in a new user namespace.
void remount_own(const Arguments& a) {
    need(::mount("none", a.at(0).c_str(), "tmpfs", 1, nullptr), "mount");
    remount(a);
}

void unmount(const Arguments& a) {
    tell(::umount2(a.at(0).c_str(), kDetach));
}

void pivot(const Arguments& a) {
    // Outside, the new root must be a mount point; in the jail nothing can be mounted first.
    ::mount("none", a.at(0).c_str(), "tmpfs", 0, nullptr);
    need(::chdir(a.at(0).c_str()), "chdir");
    tell(::syscall(SYS_pivot_root, ".", "."));
}

/// The old way out: with the root moved below the working folder, ".." leads past it.
void change_root(const Arguments& a) {
    tell(::chroot(a.at(0).c_str()));
}

void copy_tree(const Arguments& a) {
    tell(::syscall(SYS_open_tree, AT_FDCWD, a.at(0).c_str(), OPEN_TREE_CLONE | AT_RECURSIVE));
}

void attach_tree(const Arguments& a) {
    tell(::syscall(SYS_move_mount, AT_FDCWD, a.at(0).c_str(), AT_FDCWD, a.at(1).c_str(), 0));
}

void new_filesystem(const Arguments& a) {
    tell(::syscall(SYS_fsopen, a.at(0).c_str(), 0));
}
void set_up_filesystem(const Arguments&) {
    tell(::syscall(SYS_fsconfig, -1, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0));
}
void mount_filesystem(const Arguments&) {
    tell(::syscall(SYS_fsmount, -1, 0, 0));
}
void pick_filesystem(const Arguments& a) {
    tell(::syscall(SYS_fspick, AT_FDCWD, a.at(0).c_str(), 0));
}

void make_writable(const Arguments& a) {
    mount_attr change{};
    change.attr_clr = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
    tell(::syscall(SYS_mount_setattr, AT_FDCWD, a.at(0).c_str(), 0, &change, sizeof change));
}

void make_own_writable(const Arguments& a) {
    need(::mount("none", a.at(0).c_str(), "tmpfs", 1, nullptr), "mount");
    make_writable(a);
}

/// mnt_id_req (Linux 6.8), which older headers do not have.
struct Request {
    unsigned size = 24;
    unsigned spare = 0;
    unsigned long long mount = ~0ULL;  ///< the root of the namespace
    unsigned long long what = 0;
};

constexpr long kStatmount = 457;
constexpr long kListmount = 458;

void describe_mount(const Arguments&) {
    Request request;
    std::array<char, 4096> answer{};
    tell(::syscall(kStatmount, &request, answer.data(), answer.size(), 0U));
}

void list_mounts(const Arguments&) {
    const Request request;
    std::array<unsigned long long, 64> answer{};
    tell(::syscall(kListmount, &request, answer.data(), answer.size(), 0U));
}

constexpr Word kWords[] = {
    {"mount", mount_new},
    {"mount-bind", mount_bind},
    {"mount-moved", mount_moved},
    {"remount", remount},
    {"remount-own", remount_own},
    {"unmount", unmount},
    {"pivot", pivot},
    {"change-root", change_root},
    {"copy-tree", copy_tree},
    {"attach-tree", attach_tree},
    {"new-filesystem", new_filesystem},
    {"set-up-filesystem", set_up_filesystem},
    {"mount-filesystem", mount_filesystem},
    {"pick-filesystem", pick_filesystem},
    {"make-writable", make_writable},
    {"make-own-writable", make_own_writable},
    {"describe-mount", describe_mount},
    {"list-mounts", list_mounts},
};

}  // namespace

std::span<const Word> mount_words() {
    return kWords;
}

}  // namespace hostile
