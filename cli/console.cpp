#include "cli/console.h"

#include "base/fd.h"
#include "base/utf8.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace oauth3::cli {
namespace {

/// \uXXXX, as a surrogate pair above U+FFFF (RFC 8259 section 7).
void append_escape(std::string& out, char32_t c) {
    const auto unit = [&out](std::uint32_t value) { out += fmt::format("\\u{:04x}", value); };
    if (c < 0x10000) {
        unit(c);
    } else {
        unit(0xD800 + ((c - 0x10000) >> 10));
        unit(0xDC00 + ((c - 0x10000) & 0x3FF));
    }
}

}  // namespace

std::string json_line(const base::Json& value) {
    // Only inside strings can such characters stand, for the dump has no white space.
    const std::string dumped = base::dump_json(value);
    std::string out;
    out.reserve(dumped.size());
    for (std::string_view rest = dumped; !rest.empty();) {
        const base::CodePoint c = base::next_code_point(rest);
        if (base::is_deceptive(c.value)) {
            append_escape(out, c.value);
        } else {
            out += rest.substr(0, c.size);
        }
        rest.remove_prefix(c.size);
    }
    return out;
}

Console::Console() : out_is_terminal_(::isatty(STDOUT_FILENO) == 1) {
    const char* const no_colour = std::getenv("NO_COLOR");
    const char* const terminal = std::getenv("TERM");
    colour_ = (no_colour == nullptr || *no_colour == '\0') &&
              (terminal == nullptr || std::string_view(terminal) != "dumb");
}

void Console::document(const base::Json& value) {
    base::write_all(STDOUT_FILENO, json_line(value) + "\n");
}

void Console::text(std::string_view text) {
    base::write_all(STDOUT_FILENO, text);
}

void Console::note(std::string_view line) {
    const std::string shown = base::make_visible(line, false) + "\n";
    try {
        base::write_all(STDERR_FILENO, shown);
    } catch (const base::SystemError&) {
        // Nobody is left to tell.
    }
}

void Console::error(std::string_view sentence, std::string_view hint) {
    note(fmt::format("oauth3: {}", sentence));
    if (!hint.empty()) note(fmt::format("        {}", hint));
}

void Console::warning(std::string_view sentence) {
    note(fmt::format("oauth3: warning: {}", sentence));
}

}  // namespace oauth3::cli
