#pragma once

#include "http/message.h"

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace oauth3::api {

/// Other people's text for a page: markup characters escaped, bidirectional, invisible and
/// control characters made visible. Newlines and tabs stay if `keep_lines`.
std::string html_text(std::string_view text, bool keep_lines = false);

/// Fills the `{{name}}` places of a template. The values are HTML already: use html_text.
std::string fill(std::string_view page,
                 std::initializer_list<std::pair<std::string_view, std::string>> values);

/// A page with the one style sheet and the headers of wire 7.1: nothing but that style is loaded,
/// no script runs, nobody can frame it.
http::Response html_response(unsigned status, std::string_view title, std::string_view body);

}  // namespace oauth3::api
