#include "api/listening.h"

#include "api/admission.h"
#include "base/error.h"

#include <fmt/format.h>

#include <algorithm>

namespace oauth3::api {
namespace {

http::Address read_address(const std::string& text) {
    const auto address = http::parse_address(text);
    if (!address)
        throw base::Error("usage", fmt::format("\"{}\" is not an address to listen on", text),
                          "write it as 127.0.0.1:3737 or [::1]:3737");
    return *address;
}

void refuse_if_remote(const Listening& plan, const char* option, const char* hint) {
    if (plan.local_only) return;
    throw base::Error("insecure", fmt::format("{} is for this machine alone", option), hint);
}

/// An origin as browsers send it: scheme, host and perhaps a port, nothing else.
std::string read_cors_origin(const std::string& text) {
    const std::string origin = read_base_url(text);
    if (text.ends_with('/') || origin_of(origin) != origin)
        throw base::Error("usage", fmt::format("\"{}\" is not the origin of a web site", text),
                          "write it as https://app.example.org");
    return origin;
}

}  // namespace

std::string read_base_url(const std::string& text) {
    const auto refuse = [&] {
        throw base::Error("usage", fmt::format("\"{}\" cannot be a base URL", text),
                          "write it as https://oauth3.example.org");
    };
    if (!text.starts_with("http://") && !text.starts_with("https://")) refuse();
    std::string url = text;
    while (url.ends_with('/')) url.pop_back();
    if (url.size() < 8 || url.find("://") == std::string::npos) refuse();
    const std::string origin = origin_of(url);
    const std::string scheme = origin.substr(0, origin.find("://") + 3);
    const std::string authority = origin.substr(scheme.size());
    const std::string path = url.substr(origin.size());
    const auto host = host_without_port(authority);
    if (!host || authority.find('@') != std::string::npos) refuse();
    const std::size_t colon =
        authority.find(':', authority.starts_with('[') ? authority.find(']') : 0);
    url = scheme + host.value_or("");
    if (colon != std::string::npos) {
        const auto address = http::parse_address("127.0.0.1" + authority.substr(colon));
        if (!address || address->port == 0) refuse();
        if (address->port != (scheme == "https://" ? 443 : 80))
            url += fmt::format(":{}", address->port);
    }
    url += path;
    // It is pasted before paths and into headers, so only plain characters may stand in it.
    const bool plain = std::all_of(url.begin(), url.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("-._~/:[]").find(c) != std::string_view::npos;
    });
    if (!plain || url.find("//", url.find("://") + 3) != std::string::npos) refuse();
    return url;
}

Listening plan_listening(const ServerOptions& options) {
    Listening out;
    for (const std::string& text : options.listen) out.addresses.push_back(read_address(text));
    if (out.addresses.empty())
        throw base::Error("usage", "there is no address to listen on", "name one with --listen");
    const bool loopback = std::all_of(out.addresses.begin(), out.addresses.end(),
                                      [](const http::Address& a) { return a.is_loopback(); });
    out.local_only = loopback && !options.behind_proxy;
    if (options.tls_cert.empty() != options.tls_key.empty())
        throw base::Error("usage", "TLS needs a certificate and its key",
                          "name both --tls-cert and --tls-key");
    if (!loopback && options.tls_cert.empty() && !options.behind_proxy)
        throw base::Error("not_encrypted",
                          "keys would cross the network in clear: an address is not loopback",
                          "give --tls-cert and --tls-key, or --behind-proxy if a proxy on the "
                          "way ends TLS");
    if (!options.public_url.empty()) out.public_url = read_base_url(options.public_url);
    if (!out.local_only && out.public_url.empty())
        throw base::Error("no_public_url",
                          "clients of other machines need a URL that reaches this server",
                          "name it with --public-url");
    for (const std::string& origin : options.cors_origins)
        out.cors_origins.push_back(read_cors_origin(origin));
    if (!options.metrics_listen.empty()) {
        out.metrics = read_address(options.metrics_listen);
        if (!out.metrics->is_loopback())
            throw base::Error("not_loopback", "--metrics-listen takes a loopback address only",
                              "GET /metrics with the owner's key works on every address");
    }
    if (options.approval_by_link && !options.allow_insecure_remote)
        refuse_if_remote(out, "--approval=link",
                         "anyone who sees a link could approve; --allow-insecure-remote insists");
    if (options.no_auth)
        refuse_if_remote(out, "--no-auth", "sign agents up, or give them keys, instead");
    out.signup = options.signup.value_or(out.local_only ? Signup::open : Signup::closed);
    return out;
}

}  // namespace oauth3::api
