#pragma once

#include "api/service.h"

#include <string>
#include <vector>

namespace oauth3::e2e {

/// One route of the server, as its own table has it: what is tried on every route is tried on a new
/// one by its being there.
struct Route {
    std::string method;
    std::string pattern;
    api::Auth auth = api::Auth::none;
    bool takes_forms = false;

    /// What an id in the pattern names: "request", "session", "key", "trust"; "" without
    /// one.
    std::string id_kind() const;
    /// The pattern with this id in its place.
    std::string path(const std::string& id) const;
    std::string name() const { return method + " " + pattern; }
};

std::vector<Route> all_routes();

}  // namespace oauth3::e2e
