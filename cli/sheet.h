#pragma once

#include "base/json.h"

#include <set>
#include <string>
#include <string_view>

// What text for a human is made of. Everything that others wrote is made visible here.

namespace oauth3::cli {

/// Colours, or none.
class Style {
  public:
    explicit Style(bool colour) : colour_(colour) {}
    std::string bold(std::string_view text) const { return wrap("1", text); }
    std::string dim(std::string_view text) const { return wrap("2", text); }
    std::string warning(std::string_view text) const { return wrap("1;33", text); }
    std::string alarm(std::string_view text) const { return wrap("1;31", text); }

  private:
    std::string wrap(std::string_view code, std::string_view text) const;
    bool colour_;
};

/// Foreign text on one line.
std::string shown(std::string_view text);

/// One-line text that begins in the given column of the screen, over as many lines as it takes,
/// each of which begins in that column. A terminal breaks lines at its own edge; wherever it did,
/// text of others could look like a line of ours.
std::string wrapped(std::string_view text, std::size_t column);

/// A value on one line: texts as they are, lists joined by commas, the rest as JSON.
std::string value_text(const base::Json& value);

/// Milliseconds since 1970 as "2026-01-31 12:00:00 UTC"; anything else as value_text.
std::string when(const base::Json& value);

/// A member that is there and not null, else nullptr.
const base::Json* member(const base::Json& object, const char* name);

/// A member that is a text, else "". Not yet made visible.
std::string text_of(const base::Json& object, const char* name);

/// Lines with a label each; remembers which members of the document were shown.
class Sheet {
  public:
    Sheet(const base::Json& document, Style style) : document_(document), style_(style) {}

    const Style& style() const { return style_; }
    /// A label and one-line text, wrapped beside it.
    void line(std::string_view label, std::string_view text);
    /// As line, but however long in one piece, for what a human copies.
    void piece(std::string_view label, std::string_view text);
    void raw(std::string_view text) { out_ += text; }
    /// A member of the document on one line, if it is there.
    void show(std::string_view label, const char* name);
    void show_time(std::string_view label, const char* name);
    const base::Json* take(const char* name);
    /// A member that would only repeat what `said` says already is left out.
    void show_unless(const base::Json* said, std::string_view label, const char* name);
    /// All members that nothing has shown, as JSON; null and what is empty say nothing.
    void rest();
    std::string text() { return std::move(out_); }

  private:
    const base::Json& document_;
    Style style_;
    std::set<std::string> seen_;
    std::string out_;
};

/// One constraint of a scope or session, with its class if it has one.
void show_constraint(Sheet& sheet, std::string_view label, const base::Json& item);

}  // namespace oauth3::cli
