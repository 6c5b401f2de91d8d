#include <curl/curl.h>
#include <oauth3/client.h>

#include <algorithm>
#include <memory>

namespace oauth3 {
namespace {

constexpr std::size_t kMaxUrl = 2048;

struct UrlDeleter {
    void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
struct CurlDeleter {
    void operator()(char* text) const { curl_free(text); }
};

/// A part of the URL, "" if it has none.
std::string part(CURLU* url, CURLUPart which) {
    char* text = nullptr;
    if (curl_url_get(url, which, &text, 0) != CURLUE_OK) return {};
    const std::unique_ptr<char, CurlDeleter> owner(text);
    return text;
}

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return text;
}

bool is_loopback(const std::string& host) {
    // curl has brought IPv4 addresses into their four-part form.
    const bool dotted = host.find_first_not_of("0123456789.") == std::string::npos;
    return host == "localhost" || host == "[::1]" || (dotted && host.rfind("127.", 0) == 0);
}

}  // namespace

ServerUrl parse_server_url(std::string_view text) {
    const std::unique_ptr<CURLU, UrlDeleter> url(curl_url());
    if (!url) throw std::bad_alloc();
    const bool plain = std::all_of(text.begin(), text.end(),
                                   [](char c) { return c > ' ' && c < '\x7F' && c != '\\'; });
    if (!plain || text.size() > kMaxUrl ||
        curl_url_set(url.get(), CURLUPART_URL, std::string(text).c_str(), 0) != CURLUE_OK)
        throw std::invalid_argument("the server URL must look like https://host[:port][/prefix]");

    ServerUrl out;
    const std::string scheme = lower(part(url.get(), CURLUPART_SCHEME));
    const std::string host = lower(part(url.get(), CURLUPART_HOST));
    const std::string port = part(url.get(), CURLUPART_PORT);
    std::string path = part(url.get(), CURLUPART_PATH);
    if (scheme != "http" && scheme != "https")
        throw std::invalid_argument("the server URL must begin with http:// or https://");
    if (text.find_first_of("?#@") != std::string_view::npos)
        throw std::invalid_argument("the server URL must not hold a user, a query or a fragment");
    if (host.empty()) throw std::invalid_argument("the server URL names no host");
    if (!path.empty() && path.back() == '/') path.pop_back();

    out.plain_http = scheme == "http";
    out.loopback = is_loopback(host);
    out.text = scheme + "://" + host;
    if (!port.empty() && port != (out.plain_http ? "80" : "443")) out.text += ":" + port;
    out.text += path;
    return out;
}

bool is_request_id(std::string_view id) {
    return !id.empty() && id.size() <= 64 && std::all_of(id.begin(), id.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               c == '_' || c == '-';
    });
}

}  // namespace oauth3
