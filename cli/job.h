#pragma once

#include "base/fd.h"
#include "base/json.h"
#include "cli/exit_code.h"

#include <oauth3/client.h>

#include <filesystem>
#include <string>

// The file in which a background worker says how far it is (wire section 11). Members, beside
// those that only some states have:
//   job, job_id         8 hex digits          status           see below
//   job_file            this file             created          milliseconds since 1970, UTC
//   request_id          what is waited for    pid              the worker's
//   scope_request_id, exec_request_id, session_id, approval_url
//   result              the final reply       error, exit_code if there is none
// `status` is polling_scope, scope_approved, scope_failed, polling_exec, error, or the final status
// of the execution.

namespace oauth3::cli {

/// A job that this process writes.
class Job {
  public:
    /// Makes the file, with a name that no other job has. Throws base::Error if there is no HOME.
    static Job create();

    /// Sets members and writes the file, all or nothing. A null value removes a member.
    void update(const base::Json& members);

    /// Says that the job's request is submitted: its id, also as `id_member`, session and URL.
    void submitted(const Submission& submission, const char* id_member, const char* status);
    /// Removes the file, as nobody has been told of it.
    void discard();

    const base::Json& document() const { return document_; }

    /// While the lock is held the worker lives. Held until this process ends; a child has to take
    /// it for itself.
    void hold_lock();
    void remove_lock();

  private:
    explicit Job(std::filesystem::path path) : path_(std::move(path)) {}

    std::filesystem::path path_;
    base::Json document_ = base::Json::object();
    base::Fd lock_;
};

/// The document of a job file, named by its path or by its 8 hex digits; symbolic links and what is
/// no regular file are refused. A job whose worker died without a word becomes an "error". Throws
/// base::Error.
base::Json read_job(const std::string& file);

/// True while the worker waits for the scope or the execution to come to its end.
bool goes_on(const base::Json& job);

/// The exit code that a job's document stands for: 0 while it goes on.
ExitCode job_exit_code(const base::Json& job);

}  // namespace oauth3::cli
