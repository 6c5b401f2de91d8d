#pragma once

#include "api/html.h"
#include "api/service.h"
#include "http/message.h"

#include <string>
#include <string_view>

namespace oauth3::api::pages {

/// What stands around the body of every page.
struct Frame {
    std::string title = {};          ///< of the window; what waits comes first
    const Principal* who = nullptr;  ///< an owner's browser gets the way home and out
    unsigned status = 200;
    std::string then = {};  ///< if not empty: the path that the browser loads after three seconds
};

/// A page with the one style sheet and the headers of wire 7.1: nothing but that style is loaded,
/// no script runs, nobody can frame it.
http::Response page(Service& service, const Frame& frame, const Html& body);

/// True iff the caller takes JSON and no page (wire 7.1).
bool wants_json(const http::Request& request);

/// True iff pages for this caller hold forms that it can send: its browser is logged in.
inline bool has_forms(const Principal* who) {
    return who != nullptr && who->via == orchestrator::Via::cookie;
}

/// The fields of the form in a request's body. Throws a Refusal: 400 bad_request for a form that
/// cannot be decoded, or has a name or value that is not UTF-8, as no browser sends it.
http::Fields read_form(const http::Request& request);

/// A form's hidden field.
Html hidden(std::string_view name, std::string_view value);

}  // namespace oauth3::api::pages
