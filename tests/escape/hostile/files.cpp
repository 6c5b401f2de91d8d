// Files: those of the host, and what the jail's own could be turned into.
#include "words.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <cstring>

namespace hostile {
namespace {

void open_to_read(const Arguments& a) {
    tell(::open(a.at(0).c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY));
}

void open_to_write(const Arguments& a) {
    tell(::open(a.at(0).c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY));
}

void create(const Arguments& a) {
    tell(::open(a.at(0).c_str(), O_WRONLY | O_CREAT, 0600));
}

void list(const Arguments& a) {
    tell(::open(a.at(0).c_str(), O_RDONLY | O_DIRECTORY));
}

/// A link of one's own to something of the host.
void open_through_link(const Arguments& a) {
    need(::symlink(a.at(0).c_str(), a.at(1).c_str()), "symlink");
    tell(::open(a.at(1).c_str(), O_RDONLY));
}

void hard_link(const Arguments& a) {
    tell(::link(a.at(0).c_str(), a.at(1).c_str()));
}

/// Up and up from a folder that may not lie below "/".
void climb(const Arguments& a) {
    const int folder =
        static_cast<int>(need(::open(a.at(0).c_str(), O_PATH | O_DIRECTORY), "open"));
    std::string path;
    for (int i = 0; i < 64; ++i) path += "../";
    tell(::openat(folder, (path + a.at(1)).c_str(), O_RDONLY));
}

/// What was opened to be read, opened once more through /proc to be written.
void reopen_to_write(const Arguments& a) {
    const auto fd = need(::open(a.at(0).c_str(), O_RDONLY), "open");
    tell(::open(("/proc/self/fd/" + std::to_string(fd)).c_str(), O_RDWR));
}

void make_setuid(const Arguments& a) {
    tell(::chmod(a.at(0).c_str(), 04755));
}

void delete_file(const Arguments& a) {
    tell(::unlink(a.at(0).c_str()));
}

void cut_file(const Arguments& a) {
    tell(::truncate(a.at(0).c_str(), 0));
}

void give_to_root(const Arguments& a) {
    need(::open(a.at(0).c_str(), O_WRONLY | O_CREAT, 0600), "create");
    tell(::chown(a.at(0).c_str(), 0, 0));
}

void run_setuid(const Arguments& a) {
    ::execl(a.at(0).c_str(), a.at(0).c_str(), "whose-rights", nullptr);
    tell(-1);
}

/// For outside only, and root: a program with the bit, on a file system of its own where no mount
/// option takes it away, started by a user without rights.
void run_setuid_outside(const Arguments&) {
    need(::unshare(CLONE_NEWNS), "unshare");
    need(::mount(nullptr, "/", nullptr, MS_PRIVATE | MS_REC, nullptr), "cut propagation");
    need(::mount("none", "/tmp", "tmpfs", 0, "mode=755"), "mount");
    need(copy_self("/tmp/program"), "copy");
    need(::chmod("/tmp/program", 04755), "chmod");
    need(::setresuid(65534, 65534, 65534), "setresuid");
    run_setuid({"/tmp/program"});
}

void whose_rights(const Arguments&) {
    say(::geteuid() == ::getuid() ? "its own" : "ok");
}

void make_disk(const Arguments& a) {
    const int result = ::mknod(a.at(0).c_str(), S_IFBLK | 0600, ::makedev(8, 0));
    tell(result);
    if (result == 0) ::unlink(a.at(0).c_str());
}

void make_memory_device(const Arguments& a) {
    const int result = ::mknodat(AT_FDCWD, a.at(0).c_str(), S_IFCHR | 0600, ::makedev(1, 1));
    tell(result);
    if (result == 0) ::unlink(a.at(0).c_str());
}

/// A file_handle with room for its bytes.
class Handle {
  public:
    Handle() { get()->handle_bytes = MAX_HANDLE_SZ; }
    file_handle* get() { return reinterpret_cast<file_handle*>(bytes_.data()); }

  private:
    alignas(file_handle) std::array<char, sizeof(file_handle) + MAX_HANDLE_SZ> bytes_{};
};

void get_handle(const Arguments& a) {
    Handle handle;
    int mount = 0;
    tell(::name_to_handle_at(AT_FDCWD, a.at(0).c_str(), handle.get(), &mount, 0));
}

/// Any file of a file system, by its number ("shocker").
void open_handle(const Arguments& a) {
    Handle handle;
    int mount = 0;
    if (::name_to_handle_at(AT_FDCWD, a.at(0).c_str(), handle.get(), &mount, 0) != 0) {
        // As ext4 would have it for its root: a number and a generation.
        handle.get()->handle_bytes = 8;
        handle.get()->handle_type = 1;
        handle.get()->f_handle[0] = 2;
    }
    const auto folder = static_cast<int>(need(::open(a.at(0).c_str(), O_RDONLY), "open"));
    tell(::open_by_handle_at(folder, handle.get(), O_RDONLY));
}

void run_copy(const Arguments& a) {
    need(copy_self(a.at(0).c_str()), "copy");
    ::execl(a.at(0).c_str(), a.at(0).c_str(), "say-ok", nullptr);
    tell(-1);
}

/// Code in a file of one's own, mapped instead of run, as the loader does it.
void map_code(const Arguments& a) {
    need(copy_self(a.at(0).c_str()), "copy");
    const int fd = static_cast<int>(need(::open(a.at(0).c_str(), O_RDONLY), "open"));
    tell(::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) == MAP_FAILED ? -1 : 0);
}

void map_then_make_code(const Arguments& a) {
    need(copy_self(a.at(0).c_str()), "copy");
    const int fd = static_cast<int>(need(::open(a.at(0).c_str(), O_RDONLY), "open"));
    void* const page = ::mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
    if (page == MAP_FAILED) unable("mmap");
    tell(::mprotect(page, 4096, PROT_READ | PROT_EXEC));
}

/// A folder that the server forgot to close would be a way out.
void use_leaked_descriptor(const Arguments&) {
    for (int fd = 3; fd < 1024; ++fd)
        if (::openat(fd, "etc/passwd", O_RDONLY) >= 0) return say("ok");
    tell(-1);
}

/// Asks the kernel's memory killer to spare this process, or rather for what it has already.
void write_oom_score(const Arguments&) {
    const char* const path = "/proc/self/oom_score_adj";
    std::array<char, 16> text{};
    const int from = static_cast<int>(need(::open(path, O_RDONLY), "open"));
    const long size = need(::read(from, text.data(), text.size()), "read");
    const int to = ::open(path, O_WRONLY);
    tell(to < 0 ? -1 : ::write(to, text.data(), static_cast<size_t>(size)));
}

constexpr Word kWords[] = {
    {"open", open_to_read},
    {"open-to-write", open_to_write},
    {"create", create},
    {"list", list},
    {"open-through-link", open_through_link},
    {"hard-link", hard_link},
    {"climb", climb},
    {"reopen-to-write", reopen_to_write},
    {"make-setuid", make_setuid},
    {"delete", delete_file},
    {"cut", cut_file},
    {"give-to-root", give_to_root},
    {"run-setuid", run_setuid},
    {"run-setuid-outside", run_setuid_outside},
    {"whose-rights", whose_rights},
    {"make-disk", make_disk},
    {"make-memory-device", make_memory_device},
    {"get-handle", get_handle},
    {"open-handle", open_handle},
    {"run-copy", run_copy},
    {"map-code", map_code},
    {"map-then-make-code", map_then_make_code},
    {"use-leaked-descriptor", use_leaked_descriptor},
    {"write-oom-score", write_oom_score},
};

}  // namespace

std::span<const Word> file_words() {
    return kWords;
}

}  // namespace hostile
