#pragma once

#include "base/json.h"

#include <string>
#include <string_view>

namespace oauth3::cli {

/// What the program says: documents and human text on stdout, everything else on stderr. All
/// functions throw base::SystemError if the text cannot be written, but for stderr, whose loss
/// must not change what the program does.
class Console {
  public:
    Console();

    /// One JSON document on one line on stdout. Invisible, bidirectional and control characters
    /// are written as \u escapes: the same document, but harmless on a terminal.
    void document(const base::Json& value);

    /// Text for a human on stdout. Foreign text in it must have gone through visible().
    void text(std::string_view text);

    /// One line on stderr, as it is but for control characters, which are made visible.
    void note(std::string_view line);
    /// As note, with "oauth3: " or "oauth3: warning: " before it.
    void error(std::string_view sentence, std::string_view hint = {});
    void warning(std::string_view sentence);

    /// True iff stdout is a terminal.
    bool out_is_terminal() const { return out_is_terminal_; }
    /// True iff text on a terminal may be coloured: NO_COLOR is not set, TERM is not "dumb".
    bool colour() const { return colour_; }

  private:
    bool out_is_terminal_;
    bool colour_;
};

/// JSON on one line in the form that Console::document prints, without the newline.
std::string json_line(const base::Json& value);

}  // namespace oauth3::cli
