#include "api/refusal.h"

#include <algorithm>

namespace oauth3::api {

Refusal bad_field(const std::string& field, const std::string& message) {
    return {400, "bad_request", message, {}, {{"field", field}}};
}

Refusal refusal_of(const base::Malformed& problem) {
    base::Json more{{"field", problem.field()}};
    if (problem.index()) more["index"] = *problem.index();
    return {400, problem.code(), problem.what(), problem.hint(), std::move(more)};
}

Refusal not_narrower(const std::string& field) {
    return {400,
            "not_narrower",
            "\"" + field + "\" would allow more than there is.",
            "A session can only be narrowed; ask for a scope to widen it.",
            {{"field", field}}};
}

Refusal not_found() {
    return {404, "not_found", "There is nothing here under that name."};
}

http::Response document_response(unsigned status, std::string document) {
    http::Response out;
    out.status = status;
    out.headers.emplace_back("Content-Type", "application/json");
    out.body = std::move(document);
    out.body += '\n';
    return out;
}

http::Response json_response(unsigned status, const base::Json& body) {
    return document_response(status, base::dump_json(body));
}

http::Response refusal_response(const Refusal& refusal) {
    base::Json body = refusal.more();
    body["error"] = refusal.what();
    body["code"] = refusal.code();
    if (!refusal.hint().empty()) body["hint"] = refusal.hint();
    http::Response out = json_response(refusal.status(), body);
    if (const auto wait = body.find("retry_after"); wait != body.end())
        out.headers.emplace_back(
            "Retry-After", std::to_string(std::max<std::int64_t>(1, wait->get<std::int64_t>())));
    if (refusal.status() == 401) out.headers.emplace_back("WWW-Authenticate", "Bearer");
    return out;
}

void add_common_headers(http::Response& response) {
    response.headers.emplace_back("X-Content-Type-Options", "nosniff");
    response.headers.emplace_back("Cache-Control", "no-store");
}

}  // namespace oauth3::api
