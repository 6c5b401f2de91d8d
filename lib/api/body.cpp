#include "api/body.h"

#include "api/refusal.h"
#include "base/utf8.h"

#include <fmt/format.h>

#include <algorithm>

namespace oauth3::api {
namespace {

/// A body has room for a hundred thousand names, and what is said of it goes to people.
constexpr std::size_t kMostUnknown = 20;

}  // namespace

Body::Body(const http::Request& request) : object_(base::Json::object()) {
    if (request.body.empty()) return;
    if (!request.is_of_type("application/json"))
        throw Refusal(415, "unsupported_media_type", "The body must be JSON.",
                      "Send the header Content-Type: application/json.");
    try {
        object_ = base::parse_json(request.body);
    } catch (const base::JsonError& e) {
        throw Refusal(400, "bad_json", fmt::format("The body cannot be read: {}.", e.what()));
    }
    if (!object_.is_object()) throw Refusal(400, "bad_json", "The body must be a JSON object.");
}

const base::Json* Body::find(const std::string& name) const {
    const auto it = object_.find(name);
    return it == object_.end() || it->is_null() ? nullptr : &*it;
}

bool Body::has(const std::string& name) const {
    return find(name) != nullptr;
}

std::optional<std::string> Body::text(const std::string& name) const {
    const base::Json* value = find(name);
    if (value == nullptr) return std::nullopt;
    if (!value->is_string()) throw bad_field(name, fmt::format("\"{}\" must be a text.", name));
    return value->get<std::string>();
}

std::optional<bool> Body::boolean(const std::string& name) const {
    const base::Json* value = find(name);
    if (value == nullptr) return std::nullopt;
    if (!value->is_boolean())
        throw bad_field(name, fmt::format("\"{}\" must be true or false.", name));
    return value->get<bool>();
}

std::optional<std::int64_t> Body::whole(const std::string& name, std::int64_t low) const {
    const base::Json* value = find(name);
    if (value == nullptr) return std::nullopt;
    constexpr std::int64_t kMost = std::int64_t{1} << 53;
    if (!value->is_number_integer() ||
        (value->is_number_unsigned() &&
         value->get<std::uint64_t>() > static_cast<std::uint64_t>(kMost)) ||
        value->get<std::int64_t>() < low)
        throw bad_field(name,
                        fmt::format("\"{}\" must be a whole number, at least {}.", name, low));
    return value->get<std::int64_t>();
}

std::vector<std::string> Body::texts(const std::string& name) const {
    const base::Json* value = find(name);
    if (value == nullptr) return {};
    if (value->is_string()) return {value->get<std::string>()};
    const bool all_texts =
        value->is_array() && std::all_of(value->begin(), value->end(),
                                         [](const base::Json& item) { return item.is_string(); });
    if (!all_texts) throw bad_field(name, fmt::format("\"{}\" must be a list of texts.", name));
    return value->get<std::vector<std::string>>();
}

std::vector<std::string> Body::unknown(const std::set<std::string>& known) const {
    std::vector<std::string> out;
    for (const auto& [name, value] : object_.items()) {
        if (out.size() == kMostUnknown) break;
        if (known.count(name) == 0)
            out.push_back(base::make_visible(base::cut_utf8(name, 64), false));
    }
    return out;
}

std::size_t Body::count_unknown(const std::set<std::string>& known) const {
    std::size_t out = 0;
    for (const auto& [name, value] : object_.items()) out += known.count(name) == 0 ? 1U : 0U;
    return out;
}

std::optional<std::string> Body::named_tenant(const http::Request& request) const {
    for (auto named : {request.query_value("tenant"), text("tenant")})
        if (named && !named->empty()) return named;
    return std::nullopt;
}

void Body::refuse(const std::vector<std::string>& names) const {
    for (const std::string& name : names)
        if (has(name))
            throw bad_field(name, fmt::format("\"{}\" is not available on this server.", name));
}

}  // namespace oauth3::api
