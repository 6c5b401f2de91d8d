#include "cli/job.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "base/error.h"
#include "base/files.h"
#include "cli/command.h"
#include "cli/config.h"
#include "cli/suggest.h"
#include "cli/waiting.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace oauth3::cli {
namespace {

namespace fs = std::filesystem;
using base::Json;

/// stdout, stderr and an error that repeats stderr, 1 MiB each (wire 5.7). In ASCII no byte of
/// UTF-8 takes more than six (\u007f; longer characters take less a byte): 18 MiB, and the rest.
constexpr std::size_t kMaxJobFile = std::size_t{24} << 20;

/// Plain ASCII, so that the file is harmless on a terminal too.
std::string file_text(const Json& document) {
    return document.dump(2, ' ', true, Json::error_handler_t::replace) + "\n";
}

fs::path jobs_folder() {
    const auto folder = oauth3_folder();
    if (!folder)
        throw base::Error("no_home", "There is no place for a job file: HOME is not set.",
                          "Set HOME, or use --no-wait and 'oauth3 poll ID'.");
    return *folder / "jobs";
}

fs::path lock_of(fs::path file) {
    return file.replace_extension(".lock");
}

/// True for states of which a living worker makes others.
bool needs_worker(const Json& job) {
    return goes_on(job) || job.value("status", Json()) == "awaiting_secrets";
}

Json read_document(const fs::path& path) {
    // Without O_NONBLOCK a FIFO would wait for a writer.
    const base::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (!file && errno == ELOOP)
        throw base::Error("bad_job", fmt::format("{} is a symbolic link.", path.string()));
    struct stat info {};
    if (!file || ::fstat(file.get(), &info) != 0)
        base::throw_errno(fmt::format("cannot read {}", path.string()));
    if (!S_ISREG(info.st_mode))
        throw base::Error("bad_job", fmt::format("{} is no file.", path.string()));
    Json job;
    try {
        job = base::parse_json(base::read_all(file.get(), kMaxJobFile));
    } catch (const base::JsonError&) {
        // Said below.
    }
    const auto status = job.is_object() ? job.find("status") : job.end();
    if (status == job.end() || !status->is_string())
        throw base::Error("bad_job", fmt::format("{} is not the file of a job.", path.string()),
                          "'oauth3 execute --bg' prints the name of one as job_file.");
    return job;
}

/// True iff the worker was there and is gone.
bool worker_is_gone(const fs::path& path) {
    const base::Fd lock(::open(lock_of(path).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    return lock && ::flock(lock.get(), LOCK_SH | LOCK_NB) == 0;
}

}  // namespace

Job Job::create() {
    const fs::path folder = jobs_folder();
    base::make_private_folder(folder);
    for (;;) {
        const std::string id = base::to_hex(base::random_bytes(4));
        Job job(folder / (id + ".json"));
        job.document_ = {{"job", id},
                         {"job_id", id},
                         {"job_file", job.path_.string()},
                         {"created", base::to_millis(base::SystemClock().now())},
                         {"status", "starting"}};
        if (base::create_private_file(job.path_, file_text(job.document_))) return job;
    }
}

void Job::update(const Json& members) {
    document_.update(members);
    for (const auto& [name, value] : members.items())
        if (value.is_null()) document_.erase(name);
    base::write_private_file(path_, file_text(document_));
}

void Job::submitted(const Submission& submission, const char* id_member, const char* status) {
    const auto text = [](const std::string& value) { return value.empty() ? Json() : Json(value); };
    update({{"status", status},
            {"request_id", submission.request_id},
            {id_member, submission.request_id},
            {"session_id", text(submission.session_id)},
            {"approval_url", text(submission.approval_url)}});
}

void Job::discard() {
    std::error_code ignored;
    fs::remove(path_, ignored);
}

void Job::hold_lock() {
    lock_.reset(::open(lock_of(path_).c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!lock_ || ::flock(lock_.get(), LOCK_EX) != 0)
        base::throw_errno("cannot lock " + path_.string());
}

void Job::remove_lock() {
    std::error_code ignored;
    fs::remove(lock_of(path_), ignored);
    lock_.reset();
}

Json read_job(const std::string& file) {
    const bool is_name = base::is_lower_hex(file, 8);
    const fs::path path = is_name ? jobs_folder() / (file + ".json") : fs::path(file);
    Json job = read_document(path);
    if (!needs_worker(job) || !worker_is_gone(path)) return job;
    // It may have come to its end in between.
    job = read_document(path);
    if (!needs_worker(job)) return job;
    const std::string id = job.value("request_id", Json()).is_string()
                               ? job["request_id"].get<std::string>()
                               : std::string("ID");
    job["status"] = "error";
    job["error"] = "The worker has gone without a result; the request lives on.";
    job["hint"] = fmt::format("Go on waiting with: oauth3 poll {}", id);
    job["exit_code"] = static_cast<int>(ExitCode::failed);
    return job;
}

bool goes_on(const Json& job) {
    const Json status = job.value("status", Json());
    constexpr std::array<const char*, 3> kStates{"polling_scope", "scope_approved", "polling_exec"};
    return std::any_of(kStates.begin(), kStates.end(),
                       [&](const char* state) { return status == state; });
}

ExitCode job_exit_code(const Json& job) {
    if (goes_on(job)) return ExitCode::ok;
    const std::string status = job.at("status").get<std::string>();
    const auto code = job.find("exit_code");
    if (code != job.end() && code->is_number_integer() && *code > 0 && *code < 256)
        return static_cast<ExitCode>(code->get<int>());
    if (status == "scope_failed") return ExitCode::denied;
    return exit_code_of(status);
}

}  // namespace oauth3::cli
