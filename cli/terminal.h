#pragma once

#include "base/error.h"
#include "base/fd.h"

#include <string>
#include <string_view>

namespace oauth3::cli {

/// The controlling terminal, wherever stdin and stdout lead.
class Terminal {
  public:
    /// Opens /dev/tty; without a terminal, is_open() is false.
    Terminal();
    bool is_open() const { return static_cast<bool>(fd_); }
    void write(std::string_view text);

    /// Asks, and waits for one line. What was typed before the question is thrown away. True iff
    /// the answer is y or yes. Throws ClientError `interrupted` on Ctrl-C.
    bool confirm(std::string_view question);

  private:
    base::Fd fd_;
};

}  // namespace oauth3::cli
