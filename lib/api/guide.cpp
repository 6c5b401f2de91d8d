// The guide for agents (wire 9): it must be all that an agent needs to read.

#include "api/routes.h"
#include "web_files.h"

#include <string>
#include <string_view>

namespace oauth3::api {
namespace {

constexpr std::string_view kBaseUrlMark = "{{base_url}}";

std::string guide_for(const std::string& base_url) {
    std::string out;
    std::string_view rest = kGuideMd;
    for (std::size_t at = rest.find(kBaseUrlMark); at != std::string_view::npos;
         at = rest.find(kBaseUrlMark)) {
        out += rest.substr(0, at);
        out += base_url;
        rest.remove_prefix(at + kBaseUrlMark.size());
    }
    out += rest;
    return out;
}

}  // namespace

void add_guide_routes(Service& service, std::vector<Endpoint>& table) {
    table.push_back(
        {"GET", "/", Auth::none, [guide = guide_for(service.config().base_url)](const auto&, auto) {
             http::Response out;
             out.headers.emplace_back("Content-Type", "text/markdown; charset=utf-8");
             out.body = guide;
             return out;
         }});
}

}  // namespace oauth3::api
