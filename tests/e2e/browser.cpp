#include "e2e/browser.h"

#include "http/form.h"

#include <algorithm>

namespace oauth3::e2e {

std::string encode_form(const Form& form) {
    std::string out;
    for (const auto& [name, value] : form) {
        if (!out.empty()) out += '&';
        out += http::percent_encode(name) + "=" + http::percent_encode(value);
    }
    return out;
}

std::string input_value(const std::string& page, const std::string& name) {
    const std::size_t at = page.find("name=\"" + name + "\"");
    if (at == std::string::npos) return {};
    const std::string mark = "value=\"";
    const std::size_t start = page.find(mark, at);
    if (start == std::string::npos || start > page.find('>', at)) return {};
    const std::size_t from = start + mark.size();
    return page.substr(from, page.find('"', from) - from);
}

std::string Browser::cookie_line() const {
    std::string out = "Cookie: ";
    for (const auto& [name, value] : cookies_) out += name + "=" + value + "; ";
    return out;
}

std::string Browser::session() const {
    for (const auto& [name, value] : cookies_)
        if (name.ends_with("oauth3_session")) return value;
    return {};
}

void Browser::keep_cookies(const Reply& reply) {
    const auto header = reply.headers.find("set-cookie");
    if (header == reply.headers.end()) return;
    const std::string pair = header->second.substr(0, header->second.find(';'));
    const std::string name = pair.substr(0, pair.find('='));
    std::erase_if(cookies_, [&](const auto& cookie) { return cookie.first == name; });
    const std::string value = pair.substr(pair.find('=') + 1);
    if (!value.empty()) cookies_.emplace_back(name, value);
}

Reply Browser::call(Call call) {
    call.headers.push_back("Accept: text/html,application/xhtml+xml");
    if (!cookies_.empty()) call.headers.push_back(cookie_line());
    Reply reply = server_.call(call);
    keep_cookies(reply);
    return reply;
}

Reply Browser::get(const std::string& path) {
    return call({.path = path});
}

Reply Browser::post(const std::string& path, const Form& form) {
    return call({.method = "POST",
                 .path = path,
                 .body = encode_form(form),
                 .headers = {"Content-Type: application/x-www-form-urlencoded",
                             "Origin: " + server_.url()}});
}

Reply Browser::log_in_by_key(const std::string& key, const std::string& next) {
    csrf_.clear();
    const Reply page = get("/login");
    return post("/login", {{"key", key}, {"next", next}, {"csrf", input_value(page.body, "csrf")}});
}

Reply Browser::log_in_by_link(const std::string& once, const std::string& next) {
    csrf_.clear();
    const Reply page = get("/login?once=" + once);
    return post("/login",
                {{"once", once}, {"next", next}, {"csrf", input_value(page.body, "csrf")}});
}

const std::string& Browser::csrf() {
    if (csrf_.empty()) csrf_ = input_value(get("/dashboard").body, "csrf");
    return csrf_;
}

}  // namespace oauth3::e2e
