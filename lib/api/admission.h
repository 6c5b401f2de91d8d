#pragma once

#include "api/service.h"
#include "http/message.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What every request must pass before its handler sees it. All of these throw a Refusal.

namespace oauth3::api {

/// "http://host:port/..." without what follows the host and port.
std::string origin_of(const std::string& url);

/// The host of a Host header or URL authority, without its port; nullopt if it is malformed.
std::optional<std::string> host_without_port(std::string_view authority);

/// Names resolve to whatever an attacker's DNS says, addresses do not: a name must be `base_host`,
/// "localhost" or one of `allowed` (wire 1.1, against DNS rebinding).
void check_host(const http::Request& request, const std::string& base_host,
                const std::vector<std::string>& allowed);

/// A page of another site must not be able to make a browser act here: an unsafe call with an
/// Origin needs one of `allowed` or `base_origin` (wire 1.2).
void check_origin(const http::Request& request, const std::string& base_origin,
                  const std::vector<std::string>& allowed);

/// `odd`: no version, or one that this server was not made for.
enum class SdkVersion { known, absent, odd };

/// Only another major version of the client library is refused, and never while it polls: a
/// human may have approved already (wire 1.3).
SdkVersion check_sdk_version(const http::Request& request);

/// 415 for a body of another type than the route takes (wire 1.2).
void check_media_type(const http::Request& request, bool takes_forms);

/// Who calls, if the route wants to know; refuses callers of the wrong kind, and unsafe calls of a
/// browser without its CSRF value.
std::optional<Principal> admit(Service& service, const http::Request& request,
                               const Endpoint& endpoint);

/// True for a body in the encoding of HTML forms.
bool is_form(const http::Request& request);

/// True iff the caller is a browser that would rather read a page than JSON (wire 7.1).
bool wants_page(const http::Request& request);

}  // namespace oauth3::api
