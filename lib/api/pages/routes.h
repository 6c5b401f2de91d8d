#pragma once

#include "api/service.h"

#include <vector>

namespace oauth3::api::pages {

/// The routes of each page file.
void add_login_pages(Service& service, std::vector<Endpoint>& table);
void add_approval_pages(Service& service, std::vector<Endpoint>& table);
void add_dashboard_pages(Service& service, std::vector<Endpoint>& table);
void add_session_pages(Service& service, std::vector<Endpoint>& table);

}  // namespace oauth3::api::pages
