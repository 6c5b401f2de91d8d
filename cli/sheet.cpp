#include "cli/sheet.h"

#include "base/utf8.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>

namespace oauth3::cli {
namespace {

using base::Json;

constexpr std::size_t kLabelWidth = 14;
/// One less than a screen has, for a terminal that jumps to the next line behind the last column.
constexpr std::size_t kScreenWidth = 79;

/// At most so many columns a character takes on a terminal.
std::size_t columns_of(char32_t c) {
    if (c == '\t') return 8;
    return c < 0x80 ? 1 : 2;
}

}  // namespace

std::string Style::wrap(std::string_view code, std::string_view text) const {
    return colour_ ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string(text);
}

std::string shown(std::string_view text) {
    return base::make_visible(text, false);
}

std::string wrapped(std::string_view text, std::size_t column) {
    const std::size_t room =
        std::max<std::size_t>(kScreenWidth - std::min(column, kScreenWidth), 16);
    const std::string next_line = "\n" + std::string(column, ' ');
    std::string out;
    std::size_t width = 0;
    std::size_t after_blank = 0;  // where this line can be broken; 0: nowhere
    std::size_t width_there = 0;
    while (!text.empty()) {
        std::size_t size = 0;
        if (text.front() == '\x1b') {
            // A colour of ours: those of others have been made visible.
            size = std::min(text.find('m'), text.size() - 1) + 1;
        } else {
            const base::CodePoint c = base::next_code_point(text);
            size = c.size;
            while (width + columns_of(c.value) > room) {
                out.insert(after_blank == 0 ? out.size() : after_blank, next_line);
                width -= after_blank == 0 ? width : width_there;
                after_blank = 0;
            }
            width += columns_of(c.value);
        }
        out += text.substr(0, size);
        if (text.front() == ' ') {
            after_blank = out.size();
            width_there = width;
        }
        text.remove_prefix(size);
    }
    return out;
}

std::string value_text(const Json& value) {
    if (value.is_string()) return shown(value.get_ref<const std::string&>());
    if (value.is_array()) {
        std::string out;
        for (const Json& item : value) out += (out.empty() ? "" : ", ") + value_text(item);
        return out.empty() ? "none" : out;
    }
    return shown(base::dump_json(value));
}

std::string when(const Json& value) {
    if (!value.is_number_integer()) return value_text(value);
    const auto seconds = static_cast<std::time_t>(value.get<std::int64_t>() / 1000);
    std::tm parts{};
    if (::gmtime_r(&seconds, &parts) == nullptr) return value_text(value);
    return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02} UTC", parts.tm_year + 1900,
                       parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

const Json* member(const Json& object, const char* name) {
    if (!object.is_object()) return nullptr;
    const auto found = object.find(name);
    return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::string text_of(const Json& object, const char* name) {
    const Json* const value = member(object, name);
    return value != nullptr && value->is_string() ? value->get<std::string>() : "";
}

void Sheet::line(std::string_view label, std::string_view text) {
    piece(label, wrapped(text, std::max(kLabelWidth, base::utf8_length(label))));
}

void Sheet::piece(std::string_view label, std::string_view text) {
    out_ += style_.dim(fmt::format("{:<{}}", label, kLabelWidth)) + std::string(text) + "\n";
}

void Sheet::show(std::string_view label, const char* name) {
    if (const Json* const value = take(name)) line(label, value_text(*value));
}

void Sheet::show_time(std::string_view label, const char* name) {
    if (const Json* const value = take(name)) line(label, when(*value));
}

const Json* Sheet::take(const char* name) {
    seen_.insert(name);
    return member(document_, name);
}

void Sheet::show_unless(const Json* said, std::string_view label, const char* name) {
    const Json* const value = take(name);
    if (value != nullptr && (said == nullptr || *said != *value)) line(label, value_text(*value));
}

void Sheet::rest() {
    for (const auto& [name, value] : document_.items())
        if (seen_.count(name) == 0 && !value.empty()) line(shown(name) + ":", value_text(value));
}

void show_constraint(Sheet& sheet, std::string_view label, const Json& item) {
    std::string text = value_text(item);
    if (item.is_object() && member(item, "text") != nullptr) {
        const std::string kind = text_of(item, "class");
        const std::string compiled = text_of(item, "compiled");
        const std::string remark = text_of(item, "remark");
        text = shown(text_of(item, "text")) + " ";
        if (kind == "advisory") {
            text += sheet.style().warning("[ADVISORY: oauth3 cannot check this]");
        } else {
            std::string upper = shown(kind);
            for (char& c : upper)
                if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
            text += fmt::format("[{}{}{}]", upper, compiled.empty() ? "" : ": ", shown(compiled));
            if (!remark.empty())
                text += " " + sheet.style().warning("not checked: " + shown(remark));
        }
    }
    sheet.line(label, text);
}

}  // namespace oauth3::cli
