#include "base/members.h"

#include "base/utf8.h"

#include <fmt/format.h>

#include <algorithm>

namespace oauth3::base {
namespace {

/// An object has room for a hundred thousand names, and what is said of it goes to people.
constexpr std::size_t kMostUnknown = 20;

}  // namespace

const Json* Members::find(const std::string& name) const {
    const auto it = object_.find(name);
    return it == object_.end() || it->is_null() ? nullptr : &*it;
}

bool Members::has(const std::string& name) const {
    return find(name) != nullptr;
}

std::optional<std::string> Members::text(const std::string& name) const {
    const Json* value = find(name);
    if (value == nullptr) return std::nullopt;
    if (!value->is_string()) throw Malformed(name, fmt::format("\"{}\" must be a text.", name));
    return value->get<std::string>();
}

std::optional<bool> Members::boolean(const std::string& name) const {
    const Json* value = find(name);
    if (value == nullptr) return std::nullopt;
    if (!value->is_boolean())
        throw Malformed(name, fmt::format("\"{}\" must be true or false.", name));
    return value->get<bool>();
}

std::optional<std::int64_t> Members::whole(const std::string& name, std::int64_t low) const {
    const Json* value = find(name);
    if (value == nullptr) return std::nullopt;
    constexpr std::int64_t kMost = std::int64_t{1} << 53;
    if (!value->is_number_integer() ||
        (value->is_number_unsigned() &&
         value->get<std::uint64_t>() > static_cast<std::uint64_t>(kMost)) ||
        value->get<std::int64_t>() < low)
        throw Malformed(name,
                        fmt::format("\"{}\" must be a whole number, at least {}.", name, low));
    return value->get<std::int64_t>();
}

std::vector<std::string> Members::texts(const std::string& name) const {
    const Json* value = find(name);
    if (value == nullptr) return {};
    if (value->is_string()) return {value->get<std::string>()};
    const bool all_texts =
        value->is_array() && std::all_of(value->begin(), value->end(),
                                         [](const Json& item) { return item.is_string(); });
    if (!all_texts) throw Malformed(name, fmt::format("\"{}\" must be a list of texts.", name));
    return value->get<std::vector<std::string>>();
}

std::vector<Json> Members::items(const std::string& name) const {
    const Json* value = find(name);
    if (value == nullptr) return {};
    if (!value->is_array()) return {*value};
    return {value->begin(), value->end()};
}

std::vector<std::string> Members::unknown(const std::set<std::string>& known) const {
    std::vector<std::string> out;
    for (const auto& [name, value] : object_.items()) {
        if (out.size() == kMostUnknown) break;
        if (known.count(name) == 0) out.push_back(make_visible(cut_utf8(name, 64), false));
    }
    return out;
}

std::size_t Members::count_unknown(const std::set<std::string>& known) const {
    std::size_t out = 0;
    for (const auto& [name, value] : object_.items()) out += known.count(name) == 0 ? 1U : 0U;
    return out;
}

std::string shown(std::string_view text) {
    return make_visible(cut_utf8(text, 100), false);
}

}  // namespace oauth3::base
