#pragma once

#include "base/json.h"
#include "http/message.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace oauth3::api {

/// How many rows a list gives: `limit` of the query, default 50, clamped to 1..500. What is no
/// whole number counts as absent.
std::int64_t page_limit(const http::Request& request);

/// A request id in the query; 400 bad_request naming `name` if it has not the form of one.
std::optional<std::string> request_cursor(const http::Request& request, const char* name);

/// A whole number of at least 0 in the query; 400 bad_request naming `name` for anything else.
std::optional<std::int64_t> number_cursor(const http::Request& request, const char* name);

/// Cuts rows of which one more than `limit` was asked for; true if there is a next page.
template <typename Rows>
bool cut_page(Rows& rows, std::int64_t limit) {
    if (rows.size() <= static_cast<std::size_t>(limit)) return false;
    rows.pop_back();
    return true;
}

}  // namespace oauth3::api
