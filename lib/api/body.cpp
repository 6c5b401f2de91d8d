#include "api/body.h"

#include "api/refusal.h"

#include <fmt/format.h>

namespace oauth3::api {
namespace {

base::Json read(const http::Request& request) {
    if (request.body.empty()) return base::Json::object();
    if (!request.is_of_type("application/json"))
        throw Refusal(415, "unsupported_media_type", "The body must be JSON.",
                      "Send the header Content-Type: application/json.");
    base::Json out;
    try {
        out = base::parse_json(request.body);
    } catch (const base::JsonError& e) {
        throw Refusal(400, "bad_json", fmt::format("The body cannot be read: {}.", e.what()));
    }
    if (!out.is_object()) throw Refusal(400, "bad_json", "The body must be a JSON object.");
    return out;
}

}  // namespace

Body::Body(const http::Request& request) : Members(read(request)) {}

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
