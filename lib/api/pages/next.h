#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace oauth3::api::pages {

/// Where a log-in leads: `wanted`, if it is a path of this server, else "/dashboard". A path begins
/// with "/", but not with "//" or "/\", which browsers take for another host; and all of it is
/// visible ASCII, since browsers drop tabs and line feeds before they look (wire 2.4).
std::string safe_next(const std::optional<std::string>& wanted);

}  // namespace oauth3::api::pages
