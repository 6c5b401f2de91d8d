// The strict JSON reader against nlohmann's own parser and an independent count of depth and
// duplicates, and its writers against itself.

#include "base/json.h"

#include "fuzz/fuzz.h"

#include <optional>
#include <set>
#include <string>
#include <vector>

using namespace oauth3;
using fuzz::require;
using nlohmann::json;

namespace {

constexpr int kDepth = 64;

/// What a document holds that our reader refuses and nlohmann's takes.
class Faults final : public nlohmann::json_sax<json> {
  public:
    bool duplicate = false;
    std::size_t deepest = 0;

    bool null() override { return true; }
    bool boolean(bool) override { return true; }
    bool number_integer(number_integer_t) override { return true; }
    bool number_unsigned(number_unsigned_t) override { return true; }
    bool number_float(number_float_t, const string_t&) override { return true; }
    bool string(string_t&) override { return true; }
    bool binary(binary_t&) override { return true; }
    bool start_object(std::size_t) override { return open(); }
    bool key(string_t& name) override {
        duplicate = !names_.back().insert(name).second || duplicate;
        return true;
    }
    bool end_object() override { return close(); }
    bool start_array(std::size_t) override { return open(); }
    bool end_array() override { return close(); }
    bool parse_error(std::size_t, const std::string&, const json::exception&) override {
        return false;
    }

  private:
    bool open() {
        names_.emplace_back();
        deepest = std::max(deepest, names_.size());
        return true;
    }
    bool close() {
        names_.pop_back();
        return true;
    }
    std::vector<std::set<std::string>> names_;
};

std::optional<json> read(std::string_view text) {
    try {
        return base::parse_json(text, kDepth);
    } catch (const base::JsonError& error) {
        const std::string_view message = error.what();
        require(message.find('\n') == std::string_view::npos, "a refusal is one line", message);
        return std::nullopt;
    }
}

bool should_be_read(std::string_view text) {
    if (text.find('\0') != std::string_view::npos || !json::accept(text)) return false;
    Faults faults;
    json::sax_parse(text, &faults);
    return !faults.duplicate && faults.deepest <= kDepth;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = fuzz::as_text(data, size);
    const auto value = read(text);
    require(value.has_value() == should_be_read(text),
            "taken iff valid, without NUL and duplicates, and not too deep", text);
    if (!value) return 0;

    require(*value == json::parse(text), "the value is the one that nlohmann reads", text);
    const std::string dumped = base::dump_json(*value);
    require(dumped.find('\n') == std::string::npos, "a dump is one line", dumped);
    require(base::parse_json(dumped, kDepth) == *value, "parse, dump, parse is the identity", text);

    const std::string canonical = base::canonical_json(*value);
    const json again = base::parse_json(canonical, kDepth);
    require(base::canonical_json(again) == canonical, "the canonical form is a fixed point",
            canonical);
    // Another spelling of the same value: with blanks, and all but ASCII escaped.
    const json spaced = base::parse_json(value->dump(2, ' ', true), kDepth);
    require(base::canonical_json(spaced) == canonical, "spelling does not reach the canonical form",
            text);
    return 0;
}
