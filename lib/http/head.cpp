#include "http/head.h"

#include <algorithm>
#include <limits>
#include <string>

namespace oauth3::http {
namespace {

constexpr std::string_view kOthers = "-._~%!$&'()*+,;=:[]";

bool is_host(std::string_view host) {
    return !host.empty() && std::all_of(host.begin(), host.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               (c != '\0' && kOthers.find(c) != std::string_view::npos);
    });
}

bool list_has(std::string_view list, std::string_view word) {
    while (true) {
        const std::size_t comma = list.find(',');
        if (equal_ignoring_case(trim(list.substr(0, comma)), word)) return true;
        if (comma == std::string_view::npos) return false;
        list.remove_prefix(comma + 1);
    }
}

std::optional<std::uint64_t> read_length(std::string_view text) {
    constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
    if (text.empty()) return std::nullopt;
    std::uint64_t length = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return std::nullopt;
        const auto digit = static_cast<std::uint64_t>(c - '0');
        length = length > (kMost - digit) / 10 ? kMost : length * 10 + digit;
    }
    return length;
}

bool is_field_line(std::string_view line) {
    const std::size_t colon = line.find(':');
    return colon != std::string_view::npos && is_token(line.substr(0, colon)) &&
           is_field_value(line.substr(colon + 1));
}

}  // namespace

bool is_well_formed_head(std::string_view head) {
    bool first = true;
    while (true) {
        const std::size_t end = head.find("\r\n");
        if (end == std::string_view::npos) return false;
        const std::string_view line = head.substr(0, end);
        head.remove_prefix(end + 2);
        if (line.empty()) return !first && head.empty();
        // The parts of the request line are checked where they are read.
        if (first ? !is_field_value(line) || line.find('\t') != std::string_view::npos
                  : !is_field_line(line)) {
            return false;
        }
        first = false;
    }
}

std::optional<Framing> read_framing(const Fields& fields, int version) {
    if (version != 10 && version != 11) return std::nullopt;
    Framing framing;
    framing.keep_alive = version == 11;
    bool has_length = false;
    bool has_host = false;
    bool close = false;
    for (const auto& [name, value] : fields) {
        if (equal_ignoring_case(name, "Content-Length")) {
            const auto length = read_length(value);
            if (!length || has_length) return std::nullopt;
            has_length = true;
            framing.content_length = *length;
        } else if (equal_ignoring_case(name, "Transfer-Encoding")) {
            const bool known = equal_ignoring_case(value, "chunked");
            if (!known || framing.chunked || version == 10) return std::nullopt;
            framing.chunked = true;
        } else if (equal_ignoring_case(name, "Host")) {
            if (has_host || !is_host(value)) return std::nullopt;
            has_host = true;
        } else if (equal_ignoring_case(name, "Connection")) {
            close = close || list_has(value, "close");
            if (list_has(value, "keep-alive")) framing.keep_alive = true;
        } else if (equal_ignoring_case(name, "Expect")) {
            framing.expects_continue = version == 11 && equal_ignoring_case(value, "100-continue");
        }
    }
    if (framing.chunked && has_length) return std::nullopt;
    if (version == 11 && !has_host) return std::nullopt;
    if (close) framing.keep_alive = false;
    return framing;
}

bool set_target(Request& request, std::string_view target) {
    const bool printable = std::all_of(target.begin(), target.end(),
                                       [](char c) { return c > 0x20 && c < 0x7f && c != '#'; });
    if (target.empty() || !printable) return false;
    if (target == "*") {
        request.path = "*";
        return request.method == "OPTIONS";
    }
    const std::size_t scheme = target.find("://");
    if (target.front() != '/' && scheme != std::string_view::npos) {
        const std::string_view name = target.substr(0, scheme);
        if (!equal_ignoring_case(name, "http") && !equal_ignoring_case(name, "https")) return false;
        target.remove_prefix(scheme + 3);
        const std::string_view authority = target.substr(0, target.find_first_of("/?"));
        if (!is_host(authority)) return false;
        target.remove_prefix(authority.size());
        const auto host = std::find_if(
            request.fields.begin(), request.fields.end(),
            [](const auto& field) { return equal_ignoring_case(field.first, "Host"); });
        if (host == request.fields.end()) {
            request.fields.emplace_back("Host", authority);
        } else {
            host->second = authority;
        }
        if (target.empty() || target.front() == '?') {
            request.path = "/";
            request.query = target.empty() ? target : target.substr(1);
            return true;
        }
    }
    if (target.front() != '/') return false;
    const std::size_t mark = target.find('?');
    request.path = target.substr(0, mark);
    if (mark != std::string_view::npos) request.query = target.substr(mark + 1);
    return true;
}

}  // namespace oauth3::http
