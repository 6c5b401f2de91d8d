#pragma once

#include "http/message.h"

#include <optional>
#include <string>
#include <string_view>

namespace oauth3::http {

/// Decodes %XX (RFC 3986). nullopt if a '%' is not followed by two hex digits. '+' stays.
std::optional<std::string> percent_decode(std::string_view text);

/// Encodes all but the unreserved characters [A-Za-z0-9-._~], so that the result can stand in a
/// path segment or as a query name or value.
std::string percent_encode(std::string_view text);

/// Reads application/x-www-form-urlencoded (a form's body, or a query): '&' between pairs, the
/// first '=' between name and value, '+' for a space. Empty pairs are skipped, a pair without '='
/// has the value "". nullopt if any part cannot be decoded.
std::optional<Fields> parse_form(std::string_view text);

/// The first value of `name` in a parsed form, nullopt if absent.
std::optional<std::string_view> form_value(const Fields& form, std::string_view name);

}  // namespace oauth3::http
