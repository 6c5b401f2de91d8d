// How pages show programs and their differences.

#include "api/pages/parts.h"
#include "base/diff.h"

#include <fmt/format.h>

#include <algorithm>

namespace oauth3::api::pages {
namespace {

constexpr std::string_view kCode = "<ol class=\"code d{{digits}}\">\n{{lines}}</ol>";
constexpr std::string_view kGap = "<li class=\"gap\" value=\"{{last}}\">{{text}}</li>\n";
constexpr std::string_view kDiff =
    "<table class=\"diff\"><caption class=\"hidden\">Lines removed (−) and added (+)</caption>\n"
    "<thead class=\"hidden\"><tr><th scope=\"col\">Line before</th><th scope=\"col\">Line now</th>"
    "<th scope=\"col\">Change</th><th scope=\"col\">Text</th></tr></thead>\n{{hunks}}</table>";
constexpr std::string_view kHunk =
    "<tbody><tr class=\"where\"><th colspan=\"4\" scope=\"rowgroup\">{{where}}</th></tr>\n"
    "{{lines}}</tbody>\n";
constexpr std::string_view kChange =
    "<tr class=\"{{look}}\"><td class=\"n\">{{before}}</td><td class=\"n\">{{after}}</td>"
    "<td class=\"s\">{{sign}}</td><td class=\"t\">{{text}}</td></tr>\n";
constexpr std::string_view kNote = "<p class=\"help\">{{text}}</p>";

/// Fewer empty lines than this are shown one by one.
constexpr std::size_t kManyEmpty = 12;
/// A longer difference says no more than the program itself, which stands below it.
constexpr std::size_t kMostChanges = 3000;

/// True iff there are lines and all end with CR LF; a last one may go without.
bool ends_crlf(std::string_view code) {
    std::size_t feeds = 0;
    for (std::size_t at = code.find('\n'); at != std::string_view::npos;
         at = code.find('\n', at + 1)) {
        ++feeds;
        if (at == 0 || code[at - 1] != '\r') return false;
    }
    return feeds > 0;
}

std::string_view without_cr(std::string_view line, bool crlf) {
    if (crlf && line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

std::string number(std::size_t line) {
    return line == 0 ? std::string() : std::to_string(line);
}

Html change(const base::DiffLine& line) {
    using Kind = base::DiffLine::Kind;
    std::string_view look = "same";
    std::string_view sign = "";
    if (line.kind == Kind::added) look = "add", sign = "+";
    if (line.kind == Kind::removed) look = "del", sign = "−";
    return fill<kChange>({{"look", look},
                          {"before", number(line.old_line)},
                          {"after", number(line.new_line)},
                          {"sign", sign},
                          {"text", Html::lines(line.text)}});
}

std::string where(const base::Hunk& hunk) {
    std::size_t first = 0;
    std::size_t last = 0;
    for (const base::DiffLine& line : hunk) {
        if (line.new_line == 0) continue;
        if (first == 0) first = line.new_line;
        last = line.new_line;
    }
    if (first == 0) return "Removed";
    return first == last ? fmt::format("Line {}", first) : fmt::format("Lines {}–{}", first, last);
}

}  // namespace

std::string code_size(std::string_view code) {
    std::string out =
        counted(base::split_lines(code).size(), "line") + ", " + counted(code.size(), "byte");
    if (ends_crlf(code)) out += "; lines end with CR LF";
    return out;
}

Html numbered_code(std::string_view code) {
    const auto lines = base::split_lines(code);
    const bool crlf = ends_crlf(code);
    // A program may have half a million lines: no template is read for each.
    static const Html kOpen = "<li>"_html;
    static const Html kClose = "</li>\n"_html;
    Html out;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        std::size_t end = i;
        while (end < lines.size() && without_cr(lines[end], crlf).empty()) ++end;
        if (end - i >= kManyEmpty) {
            out += fill<kGap>({{"last", std::to_string(end)},
                               {"text", fmt::format("{}: {} to {}", counted(end - i, "empty line"),
                                                    i + 1, end)}});
            i = end - 1;
            continue;
        }
        out += kOpen;
        out += Html::lines(without_cr(lines[i], crlf));
        out += kClose;
    }
    const std::size_t digits = std::max<std::size_t>(std::to_string(lines.size()).size(), 3);
    return fill<kCode>(
        {{"digits", std::to_string(std::min<std::size_t>(digits, 6))}, {"lines", out}});
}

Html difference(std::string_view before, std::string_view after) {
    const auto hunks = base::diff_lines(before, after);
    std::size_t added = 0;
    std::size_t removed = 0;
    Html out;
    for (const base::Hunk& hunk : hunks) {
        Html lines;
        for (const base::DiffLine& line : hunk) {
            added += line.kind == base::DiffLine::Kind::added ? 1 : 0;
            removed += line.kind == base::DiffLine::Kind::removed ? 1 : 0;
            if (added + removed <= kMostChanges) lines += change(line);
        }
        if (added + removed <= kMostChanges)
            out += fill<kHunk>({{"where", where(hunk)}, {"lines", lines}});
    }
    if (hunks.empty()) return fill<kNote>({{"text", "Only the end of the last line differs."}});
    const std::string sum =
        counted(added, "line") + " added, " + counted(removed, "line") + " removed.";
    if (added + removed > kMostChanges)
        return fill<kNote>({{"text", sum + " Too many to show: read the whole program below."}});
    return fill<kNote>({{"text", sum}}) + fill<kDiff>({{"hunks", out}});
}

}  // namespace oauth3::api::pages
