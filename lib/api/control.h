#pragma once

#include "api/service.h"

namespace oauth3::api {

/// Answers what comes over the server's own unix socket: POST /login-link makes a log-in link for
/// the server's owner. Only the user who runs the server (or root) is served, as the kernel
/// vouches for it.
http::Reply answer_control(Service& service, const http::Request& request);

/// The URL of a log-in link.
std::string login_url(const Service& service, const orchestrator::LoginLink& link);

}  // namespace oauth3::api
