#pragma once

#include "api/refusal.h"
#include "api/service.h"

#include <vector>

namespace oauth3::api {

/// The routes of each handler file.
void add_skill_routes(Service& service, std::vector<Endpoint>& table);
void add_account_routes(Service& service, std::vector<Endpoint>& table);
void add_owner_routes(Service& service, std::vector<Endpoint>& table);
void add_session_routes(Service& service, std::vector<Endpoint>& table);
void add_trust_routes(Service& service, std::vector<Endpoint>& table);
void add_history_routes(Service& service, std::vector<Endpoint>& table);
void add_audit_routes(Service& service, std::vector<Endpoint>& table);
void add_guide_routes(Service& service, std::vector<Endpoint>& table);
void add_page_routes(Service& service, std::vector<Endpoint>& table);

/// A refusal as a page, for a browser.
http::Response error_page(Service& service, const Refusal& refusal);

}  // namespace oauth3::api
