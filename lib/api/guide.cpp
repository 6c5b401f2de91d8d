// The guide for agents (wire 9): it must be all that an agent needs to read.

#include "api/routes.h"
#include "policy/phrase_forms.h"
#include "web_files.h"

#include <fmt/format.h>

#include <string>
#include <string_view>

namespace oauth3::api {
namespace {

/// `text` with all of `mark` replaced.
std::string fill(std::string_view text, std::string_view mark, std::string_view by) {
    std::string out;
    for (std::size_t at = text.find(mark); at != std::string_view::npos; at = text.find(mark)) {
        out += text.substr(0, at);
        out += by;
        text.remove_prefix(at + mark.size());
    }
    return out += text;
}

/// The rows that the compiler of phrases itself uses, so that the guide cannot say anything else.
std::string phrase_rows() {
    std::string out;
    for (const policy::PhraseRow& row : policy::phrase_table()) {
        std::string forms;
        for (const std::string_view form : policy::forms_of(row))
            forms += fmt::format("{}`{}`", forms.empty() ? "" : ", ", form);
        std::string kind(policy::to_string(row.kind));
        for (char& c : kind) c = static_cast<char>(c - 'a' + 'A');
        out += fmt::format("| {} | {} | {}{}{} |\n", forms, row.compiles, kind,
                           row.remark.empty() ? "" : ": ", row.remark);
    }
    return out;
}

std::string guide_for(const std::string& base_url) {
    return fill(fill(kGuideMd, "{{phrases}}\n", phrase_rows()), "{{base_url}}", base_url);
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
