#pragma once

#include "base/fd.h"

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace oauth3::notify {

/// A command of the administrator's, run by /bin/sh with the server's rights, but with nothing of
/// its own: not the environment, no descriptor but 0, 1 and 2, no ignored or blocked signal, no
/// working directory but "/", no terminal. The shell leads a session and a process group of its
/// own, and the group dies with this object. What leaves the group (setsid) is not found again: it
/// lives on, but holds nothing up.
class Child {
  public:
    /// `environment` holds "NAME=value", `input` becomes stdin. Throws SystemError. Other threads
    /// may do anything meanwhile, but no one may wait for children that are not its own.
    Child(const std::string& command, const std::vector<std::string>& environment, int input);
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child() { end(); }

    /// Readable once the shell is dead.
    int pidfd() const { return pidfd_.get(); }
    /// Ends of stdout and stderr that do not block.
    int out() const { return out_.get(); }
    int err() const { return err_.get(); }

    /// Kills the whole group and reaps the shell. Returns its wait status, as it ended if it was
    /// dead before; nullopt if it cannot be had. The first call does it all.
    std::optional<int> end();

  private:
    pid_t pid_ = -1;  ///< not reaped, so that the number is nobody else's; -1 after end()
    base::Fd pidfd_;
    base::Fd out_;
    base::Fd err_;
    std::optional<int> status_;
};

}  // namespace oauth3::notify
