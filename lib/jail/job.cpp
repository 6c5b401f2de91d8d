#include "jail/job.h"

#include "base/error.h"

#include <cstring>

namespace oauth3::jail {
namespace {

[[noreturn]] void bad_job(const std::string& what) {
    throw base::Error("bad_job", what);
}

class Writer {
  public:
    void number(std::uint64_t value) {
        bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
    void blob(std::string_view value) {
        number(value.size());
        bytes_.append(value);
    }
    /// For what becomes a C string.
    void text(std::string_view value) {
        if (value.find('\0') != std::string_view::npos) bad_job("a text of the job holds a NUL");
        blob(value);
    }
    std::string take() { return std::move(bytes_); }

  private:
    std::string bytes_;
};

class Reader {
  public:
    explicit Reader(std::string_view bytes) : rest_(bytes) {}
    std::uint64_t number() {
        std::uint64_t value = 0;
        if (rest_.size() < sizeof value) bad_job("the job is cut off");
        std::memcpy(&value, rest_.data(), sizeof value);
        rest_.remove_prefix(sizeof value);
        return value;
    }
    std::string text() {
        const std::uint64_t size = number();
        if (rest_.size() < size) bad_job("the job is cut off");
        std::string value(rest_.substr(0, size));
        rest_.remove_prefix(size);
        return value;
    }
    void expect_end() const {
        if (!rest_.empty()) bad_job("the job is longer than it should be");
    }

  private:
    std::string_view rest_;
};

void check(const Isolation& isolation) {
    if (!isolation.root.is_absolute()) bad_job("the root of the jail is not an absolute path");
    // To tmpfs, 0 is no limit at all.
    if (isolation.tmp_bytes == 0 || isolation.limits.tmp_inodes == 0)
        bad_job("the jail's /tmp has no size");
    // To the watcher, 0 would be no limit at all.
    if (isolation.limits.memory_bytes == 0 || isolation.limits.processes == 0)
        bad_job("the jail has no memory or no processes");
    // Pid 1 itself needs some, and takes four more with its job.
    constexpr std::uint64_t kFewestFiles = 16;
    if (isolation.limits.open_files < kFewestFiles)
        bad_job("the jail has too few open files to start with");
    if (isolation.spares > kMaxSpares) bad_job("too many jails are to be made ahead");
}

void check(const Job& job) {
    const bool has_program = !job.argv.empty() && job.argv.front().starts_with('/');
    if (job.probe == Probe::none ? !has_program : !job.argv.empty())
        bad_job("the program of the jail is not an absolute path");
    if (!job.cwd.starts_with('/')) bad_job("the working folder is not an absolute path");
    for (const File& file : job.files) {
        const std::filesystem::path path(file.path);
        bool below = path.is_relative() && path.has_filename();
        for (const auto& part : path) below = below && part != ".." && part != ".";
        if (!below) bad_job("not a path below /tmp: " + file.path);
    }
    for (const auto& [name, value] : job.environment)
        if (name.empty() || name.find('=') != std::string::npos)
            bad_job("not a name of an environment variable: " + name);
}

}  // namespace

std::string encode(const Isolation& isolation) {
    check(isolation);
    Writer out;
    out.text(isolation.root.native());
    out.number(isolation.mounts.size());
    for (const auto& mount : isolation.mounts) {
        out.text(mount.source.native());
        out.text(mount.target.native());
    }
    out.number(isolation.tmp_bytes);
    out.text(isolation.hostname);
    out.number(static_cast<std::uint64_t>(isolation.syscalls));
    out.number(isolation.without.landlock ? 1 : 0);
    out.number(isolation.without.syscall_filter ? 1 : 0);
    out.number(isolation.limits.open_files);
    out.number(isolation.limits.processes);
    out.number(isolation.limits.file_bytes);
    out.number(isolation.limits.locked_bytes);
    out.number(isolation.limits.memory_bytes);
    out.number(isolation.limits.cpu_weight);
    out.number(isolation.limits.tmp_inodes);
    out.number(isolation.spares);
    std::string bytes = out.take();
    if (bytes.size() > kMaxIsolation) bad_job("the jail has too many mounts");
    return bytes;
}

std::string encode(const Job& job) {
    check(job);
    Writer out;
    out.number(job.argv.size());
    for (const auto& argument : job.argv) out.text(argument);
    out.number(job.environment.size());
    for (const auto& [name, value] : job.environment) {
        out.text(name);
        out.text(value);
    }
    out.text(job.cwd);
    out.number(job.files.size());
    for (const auto& file : job.files) {
        out.text(file.path);
        out.blob(file.content);
    }
    out.number(job.cpu_seconds);
    out.number(static_cast<std::uint64_t>(job.probe));
    return out.take();
}

Isolation decode_isolation(std::string_view bytes) {
    Reader in(bytes);
    Isolation isolation;
    isolation.root = in.text();
    for (std::uint64_t n = in.number(); n > 0; --n) {
        Mount mount;
        mount.source = in.text();
        mount.target = in.text();
        isolation.mounts.push_back(std::move(mount));
    }
    isolation.tmp_bytes = in.number();
    isolation.hostname = in.text();
    const std::uint64_t profile = in.number();
    if (profile >= kSyscallProfiles) bad_job("there is no such profile of system calls");
    isolation.syscalls = static_cast<SyscallProfile>(profile);
    isolation.without.landlock = in.number() != 0;
    isolation.without.syscall_filter = in.number() != 0;
    isolation.limits.open_files = in.number();
    isolation.limits.processes = in.number();
    isolation.limits.file_bytes = in.number();
    isolation.limits.locked_bytes = in.number();
    isolation.limits.memory_bytes = in.number();
    isolation.limits.cpu_weight = in.number();
    isolation.limits.tmp_inodes = in.number();
    isolation.spares = in.number();
    in.expect_end();
    check(isolation);
    return isolation;
}

Job decode_job(std::string_view bytes) {
    Reader in(bytes);
    Job job;
    for (std::uint64_t n = in.number(); n > 0; --n) job.argv.push_back(in.text());
    for (std::uint64_t n = in.number(); n > 0; --n) {
        std::string name = in.text();
        job.environment.emplace_back(std::move(name), in.text());
    }
    job.cwd = in.text();
    for (std::uint64_t n = in.number(); n > 0; --n) {
        File file;
        file.path = in.text();
        file.content = in.text();
        job.files.push_back(std::move(file));
    }
    job.cpu_seconds = in.number();
    const std::uint64_t probe = in.number();
    if (probe >= kProbes) bad_job("there is no such probe");
    job.probe = static_cast<Probe>(probe);
    in.expect_end();
    check(job);
    return job;
}

}  // namespace oauth3::jail
