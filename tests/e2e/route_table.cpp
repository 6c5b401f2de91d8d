#include "e2e/route_table.h"

#include "support/endpoints.h"

namespace oauth3::e2e {

std::string Route::id_kind() const {
    if (pattern.find(":id") == std::string::npos) return "";
    if (pattern.find("session") != std::string::npos) return "session";
    if (pattern.rfind("/keys/", 0) == 0) return "key";
    if (pattern.rfind("/trust/", 0) == 0) return "trust";
    return "request";
}

std::string Route::path(const std::string& id) const {
    std::string out = pattern;
    const std::size_t at = out.find(":id");
    return at == std::string::npos ? out : out.replace(at, 3, id);
}

std::vector<Route> all_routes() {
    std::vector<Route> out;
    for (const api::Endpoint& endpoint : test::endpoints())
        out.push_back({endpoint.method, endpoint.pattern, endpoint.auth, endpoint.takes_forms});
    return out;
}

}  // namespace oauth3::e2e
