#pragma once

#include "base/clock.h"
#include "jail/stop_signal.h"
#include "notify/opinion.h"

#include <string>
#include <vector>

namespace oauth3::notify {

/// A second opinion on requests, from a command that the server's administrator has set. It runs as
/// `/bin/sh -c COMMAND`, outside of any jail and with the server's rights: only the administrator
/// may choose it.
///
/// The command gets the request as JSON on stdin and answers on stdout what read_opinion() takes,
/// with exit status 0. What stands in stdout when the shell ends is the answer; what it has left
/// running in its process group is killed then. Its environment holds PATH, HOME, LANG and TMPDIR
/// as far as the server has them, and nothing else: the server's variables may hold keys. Up to 4
/// KiB of its stderr are logged at level debug.
///
/// Another status, a signal, too much or improper output, the end of the time limit: all that is no
/// opinion, which means ask.
class ReviewCommand {
  public:
    /// To be made before there are threads: it reads the environment, and if whoever started the
    /// server made it ignore the end of its children (SIGCHLD), that ends here. Throws Error
    /// "usage" if the command is empty or holds NUL.
    ReviewCommand(std::string command, base::Millis limit);

    /// Blocks until the command has answered, its time is over or `stop` is set. By then its process
    /// group has been killed. Any number of threads may ask at once. Throws nothing but
    /// std::bad_alloc.
    Opinion review(const std::string& request_json, const jail::StopSignal& stop) const;

  private:
    Opinion ask(const std::string& request_json, const jail::StopSignal& stop) const;

    std::string command_;
    base::Millis limit_;
    std::vector<std::string> environment_;
};

}  // namespace oauth3::notify
