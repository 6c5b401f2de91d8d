#pragma once

#include "base/fd.h"
#include "notify/review_command.h"
#include "support/temporary_folder.h"

#include <sys/types.h>

#include <cstddef>
#include <filesystem>
#include <string>

namespace oauth3::notify::test {

using jail::StopSignal;
using oauth3::test::TemporaryFolder;

/// Declared first in a case: at its end no child is left and no descriptor more than before.
class NothingLeft {
  public:
    NothingLeft();
    NothingLeft(const NothingLeft&) = delete;
    NothingLeft& operator=(const NothingLeft&) = delete;
    ~NothingLeft();

  private:
    std::size_t descriptors_;
};

/// Asks a command that has all the time it wants.
Opinion ask(const std::string& command, const std::string& request = "{}");

/// What a command finds out, in words that need no escapes in JSON.
std::string found_by(const std::string& command, const std::string& request = "{}");

void check_failed(const Opinion& opinion, const std::string& reason);

/// Waits for the end of a process that is not ours; it must come.
bool dies(pid_t pid);
bool is_running(pid_t pid);

/// A named pipe that is open on our side, so that nobody waits for the other one to open it.
class Fifo {
  public:
    explicit Fifo(const std::filesystem::path& path);
    std::string read_line() const;
    void close() { fd_.reset(); }

  private:
    base::Fd fd_;
};

}  // namespace oauth3::notify::test
