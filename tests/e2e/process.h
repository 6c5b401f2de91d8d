#pragma once

#include "base/fd.h"

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace oauth3::e2e {

/// How long anything may take before a test fails instead of hanging. Never a measure of speed.
inline constexpr std::chrono::seconds kWatchdog{60};

/// A temporary folder that goes with its owner.
class Folder {
  public:
    Folder();
    ~Folder();
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    const std::filesystem::path& path() const { return path_; }
    std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

  private:
    std::filesystem::path path_;
};

/// The program under test: $OAUTH3_BIN, else the one of this build.
std::string program();

/// What a process left behind.
struct Ended {
    int exit_code = -1;  ///< -1 if a signal ended it
    int signal = 0;
    std::string out;
    std::string err;
};

/// A program that runs in a session of its own, so without a terminal, with stdin from /dev/null.
/// Killed by its destructor, and if the thread that started it ends: start it from the main thread.
class Process {
  public:
    /// `environment` replaces or adds variables; an empty value removes one.
    Process(const std::vector<std::string>& argv,
            const std::map<std::string, std::string>& environment = {});
    ~Process();
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    pid_t pid() const { return pid_; }
    /// Waits for a line on stderr that holds `part` and returns it. Throws when the process has
    /// ended without it, or after kWatchdog.
    std::string wait_line(const std::string& part);
    /// Waits for the end. Throws after kWatchdog.
    Ended wait();
    bool has_ended();
    /// Does nothing to a process that has ended.
    void send_signal(int number);
    std::string err();

  private:
    void read(int fd, std::string& into);

    pid_t pid_ = -1;
    base::Fd out_;
    base::Fd err_;
    base::Fd stop_read_;
    base::Fd stop_write_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::string out_text_;
    std::string err_text_;
    int open_streams_ = 2;
    bool reaped_ = false;
    int wait_status_ = 0;
    std::thread out_reader_;
    std::thread err_reader_;
    std::thread reaper_;
};

/// Handles on processes that stay valid whatever becomes of their numbers.
class Family {
  public:
    /// The children of `pid`, their children and so on, as they are now.
    explicit Family(pid_t pid);
    /// Below a server: how many processes of programs there are. Above them stand the spawner and,
    /// for each jail, whether it has a job or waits for one, an init.
    std::size_t programs() const { return programs_; }
    /// Waits until all have ended; false after kWatchdog.
    bool all_gone() const;

  private:
    std::vector<base::Fd> members_;
    std::size_t programs_ = 0;
};

}  // namespace oauth3::e2e
