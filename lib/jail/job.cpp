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

void check(const Spec& spec) {
    if (!spec.root.is_absolute()) bad_job("the root of the jail is not an absolute path");
    const bool has_program = !spec.argv.empty() && spec.argv.front().starts_with('/');
    if (spec.probe == Probe::none ? !has_program : !spec.argv.empty())
        bad_job("the program of the jail is not an absolute path");
    if (!spec.cwd.starts_with('/')) bad_job("the working folder is not an absolute path");
    // To tmpfs, 0 is no limit at all.
    if (spec.tmp_bytes == 0 || spec.limits.tmp_inodes == 0) bad_job("the jail's /tmp has no size");
    for (const File& file : spec.files) {
        const std::filesystem::path path(file.path);
        bool below = path.is_relative() && path.has_filename();
        for (const auto& part : path) below = below && part != ".." && part != ".";
        if (!below) bad_job("not a path below /tmp: " + file.path);
    }
    for (const auto& [name, value] : spec.environment)
        if (name.empty() || name.find('=') != std::string::npos)
            bad_job("not a name of an environment variable: " + name);
}

}  // namespace

std::string encode_job(const Spec& spec) {
    check(spec);
    Writer out;
    out.text(spec.root.native());
    out.number(spec.argv.size());
    for (const auto& argument : spec.argv) out.text(argument);
    out.number(spec.environment.size());
    for (const auto& [name, value] : spec.environment) {
        out.text(name);
        out.text(value);
    }
    out.text(spec.cwd);
    out.number(spec.files.size());
    for (const auto& file : spec.files) {
        out.text(file.path);
        out.blob(file.content);
    }
    out.number(spec.mounts.size());
    for (const auto& mount : spec.mounts) {
        out.text(mount.source.native());
        out.text(mount.target.native());
    }
    out.number(spec.tmp_bytes);
    out.text(spec.hostname);
    out.number(static_cast<std::uint64_t>(spec.syscalls));
    out.number(static_cast<std::uint64_t>(spec.probe));
    out.number(spec.without.landlock ? 1 : 0);
    out.number(spec.without.syscall_filter ? 1 : 0);
    out.number(spec.limits.open_files);
    out.number(spec.limits.processes);
    out.number(spec.limits.file_bytes);
    out.number(spec.limits.locked_bytes);
    out.number(spec.limits.memory_bytes);
    out.number(spec.limits.cpu_weight);
    out.number(spec.limits.cpu_seconds);
    out.number(spec.limits.tmp_inodes);
    return out.take();
}

Spec decode_job(std::string_view bytes) {
    Reader in(bytes);
    Spec spec;
    spec.root = in.text();
    for (std::uint64_t n = in.number(); n > 0; --n) spec.argv.push_back(in.text());
    for (std::uint64_t n = in.number(); n > 0; --n) {
        std::string name = in.text();
        spec.environment.emplace_back(std::move(name), in.text());
    }
    spec.cwd = in.text();
    for (std::uint64_t n = in.number(); n > 0; --n) {
        File file;
        file.path = in.text();
        file.content = in.text();
        spec.files.push_back(std::move(file));
    }
    for (std::uint64_t n = in.number(); n > 0; --n) {
        Mount mount;
        mount.source = in.text();
        mount.target = in.text();
        spec.mounts.push_back(std::move(mount));
    }
    spec.tmp_bytes = in.number();
    spec.hostname = in.text();
    const std::uint64_t profile = in.number();
    if (profile >= kSyscallProfiles) bad_job("there is no such profile of system calls");
    spec.syscalls = static_cast<SyscallProfile>(profile);
    const std::uint64_t probe = in.number();
    if (probe >= kProbes) bad_job("there is no such probe");
    spec.probe = static_cast<Probe>(probe);
    spec.without.landlock = in.number() != 0;
    spec.without.syscall_filter = in.number() != 0;
    spec.limits.open_files = in.number();
    spec.limits.processes = in.number();
    spec.limits.file_bytes = in.number();
    spec.limits.locked_bytes = in.number();
    spec.limits.memory_bytes = in.number();
    spec.limits.cpu_weight = in.number();
    spec.limits.cpu_seconds = in.number();
    spec.limits.tmp_inodes = in.number();
    in.expect_end();
    check(spec);
    return spec;
}

}  // namespace oauth3::jail
