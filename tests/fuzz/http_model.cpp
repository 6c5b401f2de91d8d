#include "fuzz/http_model.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace oauth3::fuzz {
namespace {

constexpr std::string_view kBlanks = " \t";

std::string_view trim(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(kBlanks);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return out;
}

class Listener {
  public:
    Listener(std::string_view bytes, const Manner& manner) : rest_(bytes), manner_(manner) {}

    std::optional<Heard> next() {
        Heard out;
        std::optional<std::string_view> line;
        do {
            line = take_line(manner_.bare_lf, manner_.bare_cr);
            if (!line) return std::nullopt;
        } while (line->empty());
        if (!read_request_line(*line, out)) return std::nullopt;
        if (!read_fields() || !read_body(out)) return std::nullopt;
        return out;
    }

  private:
    std::optional<std::string_view> take_line(bool bare_lf, bool bare_cr) {
        for (std::size_t i = 0; i < rest_.size(); ++i) {
            std::size_t end = 0;
            if (rest_[i] == '\r' && i + 1 < rest_.size() && rest_[i + 1] == '\n')
                end = i + 2;
            else if ((rest_[i] == '\n' && bare_lf) || (rest_[i] == '\r' && bare_cr))
                end = i + 1;
            if (end == 0) continue;
            const std::string_view line = rest_.substr(0, i);
            rest_.remove_prefix(end);
            return line;
        }
        return std::nullopt;
    }

    static bool read_request_line(std::string_view line, Heard& out) {
        const std::size_t first = line.find(' ');
        const std::size_t last = line.rfind(' ');
        if (first == std::string_view::npos || first == last) return false;
        out.method = line.substr(0, first);
        out.target = trim(line.substr(first, last - first));
        return !out.method.empty() && !out.target.empty() &&
               line.substr(last + 1).starts_with("HTTP/1.");
    }

    bool read_fields() {
        fields_.clear();
        for (;;) {
            const auto line = take_line(manner_.bare_lf, manner_.bare_cr);
            if (!line) return false;
            if (line->empty()) return true;
            const bool folded = kBlanks.find(line->front()) != std::string_view::npos;
            if (folded && manner_.folds && !fields_.empty()) {
                fields_.back().second += " " + std::string(trim(*line));
                continue;
            }
            const std::size_t colon = line->find(':');
            if (colon == std::string_view::npos) {
                if (!manner_.loose_names) return false;
                continue;
            }
            std::string_view name = line->substr(0, colon);
            if (manner_.loose_names) name = trim(name);
            fields_.emplace_back(lower(name), trim(line->substr(colon + 1)));
        }
    }

    bool read_body(Heard& out) {
        bool chunked = false;
        std::optional<std::string> length;
        for (const auto& [name, value] : fields_) {
            if (name == "transfer-encoding") {
                const std::string coding = lower(value);
                chunked =
                    chunked || (manner_.loose_chunked ? coding.find("chunked") != std::string::npos
                                                      : coding == "chunked");
            } else if (name == "content-length" && (!length || manner_.last_length_wins)) {
                length = value;
            }
        }
        if (chunked && !(length && manner_.length_over_chunks)) return read_chunks(out.body);
        if (!length) return true;
        const auto count = number(*length, 10);
        if (!count || *count > rest_.size()) return false;
        out.body = rest_.substr(0, *count);
        rest_.remove_prefix(*count);
        return true;
    }

    bool read_chunks(std::string& body) {
        const bool lf = manner_.bare_lf || manner_.bare_lf_in_chunks;
        for (;;) {
            const auto line = take_line(lf, manner_.bare_cr);
            if (!line) return false;
            const auto count = number(trim(line->substr(0, line->find(';'))), 16);
            if (!count) return false;
            if (*count == 0) break;
            if (*count > rest_.size()) return false;
            body += rest_.substr(0, *count);
            rest_.remove_prefix(*count);
            const auto end = take_line(lf, manner_.bare_cr);
            if (!end || !end->empty()) return false;
        }
        for (;;) {  // trailers
            const auto line = take_line(lf, manner_.bare_cr);
            if (!line) return false;
            if (line->empty()) return true;
        }
    }

    static std::optional<std::size_t> number(std::string_view text, std::size_t radix) {
        if (text.empty()) return std::nullopt;
        std::size_t out = 0;
        for (const char c : text) {
            std::size_t digit = radix;
            if (c >= '0' && c <= '9')
                digit = static_cast<std::size_t>(c - '0');
            else if (c >= 'a' && c <= 'f')
                digit = static_cast<std::size_t>(c - 'a' + 10);
            else if (c >= 'A' && c <= 'F')
                digit = static_cast<std::size_t>(c - 'A' + 10);
            if (digit >= radix) return std::nullopt;
            if (out > (std::size_t{1} << 40)) return std::nullopt;
            out = out * radix + digit;
        }
        return out;
    }

    std::string_view rest_;
    const Manner& manner_;
    std::vector<std::pair<std::string, std::string>> fields_;
};

}  // namespace

std::vector<Heard> listen(std::string_view bytes, const Manner& manner) {
    Listener listener(bytes, manner);
    std::vector<Heard> out;
    while (auto heard = listener.next()) out.push_back(std::move(*heard));
    return out;
}

}  // namespace oauth3::fuzz
