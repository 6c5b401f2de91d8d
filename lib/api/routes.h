#pragma once

#include "api/service.h"

#include <vector>

namespace oauth3::api {

/// The routes of each handler file.
void add_skill_routes(Service& service, std::vector<Endpoint>& table);
void add_owner_routes(Service& service, std::vector<Endpoint>& table);
void add_page_routes(Service& service, std::vector<Endpoint>& table);

}  // namespace oauth3::api
