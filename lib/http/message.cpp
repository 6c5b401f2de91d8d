#include "http/message.h"

#include "http/form.h"

#include <algorithm>

namespace oauth3::http {
namespace {

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

bool is_token_char(char c) {
    if ((c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z')) return true;
    return c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trim(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

bool is_token(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), is_token_char);
}

bool is_field_value(std::string_view value) {
    return std::all_of(value.begin(), value.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return c == '\t' || (byte >= 0x20 && byte != 0x7f);
    });
}

std::string_view Request::header(std::string_view name) const {
    for (const auto& [key, value] : fields) {
        if (equal_ignoring_case(key, name)) return value;
    }
    return {};
}

bool Request::has_header(std::string_view name) const {
    return std::any_of(fields.begin(), fields.end(), [name](const auto& field) {
        return equal_ignoring_case(field.first, name);
    });
}

std::vector<std::string_view> Request::headers(std::string_view name) const {
    std::vector<std::string_view> values;
    for (const auto& [key, value] : fields) {
        if (equal_ignoring_case(key, name)) values.emplace_back(value);
    }
    return values;
}

bool Request::is_of_type(std::string_view media_type) const {
    const std::string_view type = header("Content-Type");
    return equal_ignoring_case(trim(type.substr(0, type.find(';'))), media_type);
}

std::optional<std::string> Request::query_value(std::string_view name) const {
    // Pair by pair: one that is malformed must not hide the others.
    std::string_view rest = query;
    while (!rest.empty()) {
        const std::size_t end = rest.find('&');
        const auto pair = parse_form(rest.substr(0, end));
        if (pair && !pair->empty() && pair->front().first == name) return pair->front().second;
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
    return std::nullopt;
}

}  // namespace oauth3::http
