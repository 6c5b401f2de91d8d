#include "skill/declaration.h"

#include "base/crypto.h"
#include "base/utf8.h"
#include "skill/header.h"
#include "skill/names.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace oauth3::skill {
namespace {

constexpr std::array<std::string_view, 5> kKeys{"skill", "description", "secrets", "network",
                                                "timeout"};
constexpr std::size_t kMaxSkillName = 100;
constexpr std::size_t kMaxDescription = 500;
constexpr std::size_t kMaxWarnings = 20;
constexpr std::string_view kEmDash = "\xE2\x80\x94";

bool is_known_key(std::string_view key) {
    return std::find(kKeys.begin(), kKeys.end(), key) != kKeys.end();
}

bool is_key_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

/// One directive of a line: views into the line.
struct Directive {
    std::string_view key;
    std::string_view value;
};

/// Splits "@key value" that begins at `from` (blanks before it are skipped).
std::optional<Directive> split_directive(std::string_view line, std::size_t from) {
    std::string_view text = trim_blanks(line.substr(std::min(from, line.size())));
    if (!text.starts_with('@')) return std::nullopt;
    text.remove_prefix(1);
    std::size_t end = 0;
    while (end < text.size() && is_key_character(text[end])) ++end;
    if (end == 0) return std::nullopt;
    if (end < text.size() && text[end] != ' ' && text[end] != '\t') return std::nullopt;
    return Directive{text.substr(0, end), trim_blanks(text.substr(end))};
}

/// `value` up to a remark: an em dash, a "-" between blanks (or at the end), or "#".
std::string_view without_remark(std::string_view value) {
    for (std::size_t i = 0; i < value.size(); ++i) {
        const auto blank_at = [&](std::size_t at) {
            return at >= value.size() || value[at] == ' ' || value[at] == '\t';
        };
        const bool dash = value[i] == '-' && (i == 0 || blank_at(i - 1)) && blank_at(i + 1);
        if (value[i] == '#' || dash || value.substr(i).starts_with(kEmDash))
            return trim_blanks(value.substr(0, i));
    }
    return value;
}

class Reader {
  public:
    std::variant<Declaration, MetadataProblem> read(std::string_view code) {
        const Header header = find_header(code);
        for (const HeaderLine& line : header.lines)
            if (!read_line(line)) return *problem_;
        warn_about_late_directives(header);
        return std::move(out_);
    }

  private:
    bool read_line(const HeaderLine& line) {
        line_ = &line;
        const auto directive = split_directive(line.text, line.marker_end);
        if (!directive) return true;
        const auto [key, value] = *directive;
        if (!is_known_key(key)) {
            warn(fmt::format("line {}: @{} is not known and was ignored", line.number, key));
            return true;
        }
        if (value.empty()) return fail(fmt::format("@{} needs a value", key), key);
        if (key == "secrets") return read_list(value, [this](auto item) { return secret(item); });
        if (key == "network") return read_list(value, [this](auto item) { return network(item); });
        if (std::find(seen_.begin(), seen_.end(), key) != seen_.end())
            return fail(fmt::format("@{} is given twice", key), key);
        seen_.push_back(key);
        if (key == "skill") return read_skill(value);
        if (key == "description") return read_description(value);
        return read_timeout(value);
    }

    bool read_skill(std::string_view value) {
        if (utf8_too_long(value, kMaxSkillName) || has_deceptive(value))
            return fail("@skill takes 1 to 100 printable characters", value);
        out_.skill = std::string(value);
        return true;
    }

    bool read_description(std::string_view value) {
        if (utf8_too_long(value, kMaxDescription))
            return fail("@description takes at most 500 characters", value);
        out_.description = std::string(value);
        return true;
    }

    bool read_timeout(std::string_view value) {
        const std::string_view number = without_remark(value);
        int seconds = 0;
        const auto [end, error] =
            std::from_chars(number.data(), number.data() + number.size(), seconds);
        if (error != std::errc() || end != number.data() + number.size() || seconds < 1 ||
            seconds > kMaxTimeout.count())
            return fail("@timeout takes a number of seconds from 1 to 3600", value);
        out_.timeout = base::Seconds(seconds);
        return true;
    }

    template <typename Take>
    bool read_list(std::string_view value, Take take) {
        std::string_view rest = without_remark(value);
        bool any = false;
        while (!rest.empty()) {
            const std::size_t end = std::min(rest.find_first_of(", \t"), rest.size());
            if (end != 0) {
                any = true;
                if (!take(rest.substr(0, end))) return false;
            }
            rest.remove_prefix(std::min(end + 1, rest.size()));
        }
        return any || fail("the list is empty", value);
    }

    bool secret(std::string_view name) {
        if (!is_secret_name(name))
            return fail("a secret's name has capital letters, digits and underscores, at most 64",
                        name);
        if (is_reserved_name(name)) return fail(fmt::format("the name {} is reserved", name), name);
        return add(out_.secrets, std::string(name), name);
    }

    bool network(std::string_view text) {
        base::NetworkResult result = base::parse_network(text);
        if (!result.network) return fail(result.problem, text);
        return add(out_.networks, std::move(*result.network), text);
    }

    template <typename T>
    bool add(std::vector<T>& list, T item, std::string_view where) {
        if (std::find(list.begin(), list.end(), item) != list.end()) return true;
        if (list.size() == kMaxListEntries) return fail("the list has more than 32 entries", where);
        list.push_back(std::move(item));
        return true;
    }

    static bool utf8_too_long(std::string_view text, std::size_t limit) {
        return base::utf8_length(text) > limit;
    }

    static bool has_deceptive(std::string_view text) {
        for (; !text.empty(); text.remove_prefix(base::next_code_point(text).size))
            if (base::is_deceptive(base::next_code_point(text).value)) return true;
        return false;
    }

    /// `where` must be a view into the present line.
    bool fail(std::string message, std::string_view where) {
        const auto offset = static_cast<std::size_t>(where.data() - line_->text.data());
        const std::size_t column = base::utf8_length(line_->text.substr(0, offset)) + 1;
        problem_ = MetadataProblem{std::move(message), line_->number, column};
        return false;
    }

    void warn(std::string text) {
        if (out_.warnings.size() < kMaxWarnings) out_.warnings.push_back(std::move(text));
    }

    void warn_about_late_directives(const Header& header) {
        std::string_view rest = header.rest;
        for (std::size_t number = header.rest_line; !rest.empty(); ++number) {
            const std::string_view line = trim_blanks(take_line(rest));
            std::size_t marker = 0;
            if (line.starts_with("//"))
                marker = 2;
            else if (line.starts_with("/**"))
                marker = 3;
            else if (line.starts_with("/*"))
                marker = 2;
            else if (line.starts_with("*"))
                marker = 1;
            else if (!line.starts_with("@"))  // as it may stand inside a block, without a marker
                continue;
            const auto directive = split_directive(line, marker);
            if (directive && is_known_key(directive->key))
                warn(fmt::format("line {}: @{} is not in the leading comment and has no effect",
                                 number, directive->key));
        }
    }

    Declaration out_;
    std::vector<std::string_view> seen_;
    const HeaderLine* line_ = nullptr;
    std::optional<MetadataProblem> problem_;
};

}  // namespace

std::variant<Declaration, MetadataProblem> parse(std::string_view code) {
    return Reader().read(code);
}

bool is_program(std::string_view bytes) {
    return bytes.find('\0') == std::string_view::npos && base::is_valid_utf8(bytes);
}

std::string code_hash(std::string_view code) {
    return base::sha256_hex(code);
}

}  // namespace oauth3::skill
