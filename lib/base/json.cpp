#include "base/json.h"

#include "base/utf8.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <set>
#include <string>
#include <utility>
#include <vector>

template class nlohmann::basic_json<>;

namespace oauth3::base {
namespace {

/// Builds the value and refuses what nlohmann's own DOM parser lets through. nlohmann's lexer
/// already refuses invalid UTF-8 and lone surrogates.
class StrictReader final : public nlohmann::json_sax<Json> {
  public:
    explicit StrictReader(int max_depth) : max_depth_(max_depth) {}

    Json take() { return std::move(root_); }

    bool null() override { return put(nullptr); }
    bool boolean(bool value) override { return put(value); }
    bool number_integer(number_integer_t value) override { return put(value); }
    bool number_unsigned(number_unsigned_t value) override { return put(value); }
    bool number_float(number_float_t value, const string_t&) override { return put(value); }
    bool string(string_t& value) override { return put(std::move(value)); }
    bool binary(binary_t&) override { throw JsonError("binary data is not JSON"); }

    bool start_object(std::size_t) override {
        open(Json::object());
        names_.emplace_back();
        return true;
    }
    bool key(string_t& name) override {
        if (!names_.back().insert(name).second)
            throw JsonError(fmt::format("the member \"{}\" occurs twice", shown(name)));
        key_ = std::move(name);
        return true;
    }
    bool end_object() override {
        names_.pop_back();
        stack_.pop_back();
        return true;
    }
    bool start_array(std::size_t) override {
        open(Json::array());
        return true;
    }
    bool end_array() override {
        stack_.pop_back();
        return true;
    }
    bool parse_error(std::size_t position, const std::string&,
                     const nlohmann::detail::exception&) override {
        throw JsonError(fmt::format("the text is not valid JSON (at byte {})", position));
    }

  private:
    static std::string shown(std::string_view name) {
        return make_visible(cut_utf8(name, 64), false);
    }

    Json* place(Json value) {
        if (stack_.empty()) {
            root_ = std::move(value);
            return &root_;
        }
        Json& parent = *stack_.back();
        if (parent.is_array()) {
            parent.push_back(std::move(value));
            return &parent.back();
        }
        return &(parent[key_] = std::move(value));
    }
    bool put(Json value) {
        place(std::move(value));
        return true;
    }
    void open(Json value) {
        if (static_cast<int>(stack_.size()) >= max_depth_)
            throw JsonError(fmt::format("the JSON is nested deeper than {} levels", max_depth_));
        stack_.push_back(place(std::move(value)));
    }

    int max_depth_;
    Json root_;
    std::vector<Json*> stack_;
    std::vector<std::set<std::string>> names_;
    std::string key_;
};

/// Number::toString of ECMA-262, which RFC 8785 section 3.2.2.3 prescribes.
std::string ecmascript_number(double value) {
    if (!std::isfinite(value)) throw JsonError("a number is not finite");
    if (value == 0) return "0";
    // The shortest digits that read back as the same double, in the form d.ddde[+-]xx.
    std::array<char, 32> buffer{};
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), std::fabs(value),
                                   std::chars_format::scientific)
                         .ptr;
    const std::string_view text(buffer.data(), static_cast<std::size_t>(end - buffer.data()));
    const std::size_t e = text.find('e');
    std::string digits(text.substr(0, 1));
    if (e > 2) digits += text.substr(2, e - 2);
    int exponent = 0;
    const std::size_t sign = text[e + 1] == '+' ? 2 : 1;
    std::from_chars(text.data() + e + sign, text.data() + text.size(), exponent);

    const int k = static_cast<int>(digits.size());
    const int n = exponent + 1;  // the decimal point stands after n digits
    std::string out = value < 0 ? "-" : "";
    if (k <= n && n <= 21) {
        out += digits + std::string(static_cast<std::size_t>(n - k), '0');
    } else if (0 < n && n <= 21) {
        const auto point = static_cast<std::size_t>(n);
        out += digits.substr(0, point) + "." + digits.substr(point);
    } else if (-6 < n && n <= 0) {
        out += "0." + std::string(static_cast<std::size_t>(-n), '0') + digits;
    } else {
        out += digits.substr(0, 1);
        if (k > 1) out += "." + digits.substr(1);
        out += fmt::format("e{}{}", n - 1 < 0 ? '-' : '+', std::abs(n - 1));
    }
    return out;
}

/// UTF-16 code units, the order in which RFC 8785 sorts member names.
std::u16string utf16_of(std::string_view text) {
    std::u16string out;
    while (!text.empty()) {
        const CodePoint c = next_code_point(text);
        if (!c.valid) throw JsonError("a member name is not valid UTF-8");
        if (c.value >= 0x10000) {
            out += static_cast<char16_t>(0xD800 + ((c.value - 0x10000) >> 10));
            out += static_cast<char16_t>(0xDC00 + ((c.value - 0x10000) & 0x3FF));
        } else {
            out += static_cast<char16_t>(c.value);
        }
        text.remove_prefix(c.size);
    }
    return out;
}

void write_canonical(std::string& out, const Json& value) {
    if (value.is_object()) {
        std::vector<std::pair<std::u16string, const std::string*>> names;
        for (const auto& [name, member] : value.items()) names.emplace_back(utf16_of(name), &name);
        std::sort(names.begin(), names.end(),
                  [](const auto& a, const auto& b) { return a.first < b.first; });
        out += '{';
        for (std::size_t i = 0; i < names.size(); ++i) {
            if (i != 0) out += ',';
            write_canonical(out, Json(*names[i].second));
            out += ':';
            write_canonical(out, value.at(*names[i].second));
        }
        out += '}';
    } else if (value.is_array()) {
        out += '[';
        for (std::size_t i = 0; i < value.size(); ++i) {
            if (i != 0) out += ',';
            write_canonical(out, value[i]);
        }
        out += ']';
    } else if (value.is_number()) {
        out += ecmascript_number(value.get<double>());
    } else if (value.is_string()) {
        const auto& text = value.get_ref<const std::string&>();
        if (!is_valid_utf8(text)) throw JsonError("a string is not valid UTF-8");
        // nlohmann escapes exactly what RFC 8785 section 3.2.2.2 names, in the same short forms.
        out += value.dump();
    } else {
        out += value.dump();
    }
}

}  // namespace

Json parse_json(std::string_view text, int max_depth) {
    // nlohmann's lexer takes a NUL for the end of the text and would not look at what follows.
    if (text.find('\0') != std::string_view::npos)
        throw JsonError("the text is not valid JSON: it holds a NUL");
    StrictReader reader(max_depth);
    if (!Json::sax_parse(text, &reader)) throw JsonError("the text is not valid JSON");
    return reader.take();
}

std::string canonical_json(const Json& value) {
    std::string out;
    write_canonical(out, value);
    return out;
}

std::string dump_json(const Json& value) {
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace oauth3::base
