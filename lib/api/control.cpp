#include "api/control.h"

#include "api/refusal.h"
#include "base/log.h"

#include <fmt/format.h>
#include <unistd.h>

namespace oauth3::api {

std::string login_url(const Service& service, const orchestrator::LoginLink& link) {
    return fmt::format("{}/login?once={}", service.config().base_url, link.once.reveal());
}

http::Reply answer_control(Service& service, const http::Request& request) {
    const bool trusted =
        request.peer_uid && (*request.peer_uid == ::geteuid() || *request.peer_uid == 0);
    if (!trusted)
        return refusal_response({403, "owner_required", "Only the server's own user is served."});
    if (request.path != "/login-link") return refusal_response(not_found());
    if (request.method != "POST") return refusal_response({405, "method_not_allowed", "Use POST."});
    try {
        const orchestrator::LoginLink link = service.logins().make_link();
        http::Response out = json_response(200, {{"url", login_url(service, link)},
                                                 {"expires_at", base::to_millis(link.expires_at)}});
        add_common_headers(out);
        return out;
    } catch (const std::exception& e) {
        base::log_error("making a log-in link: {}", e.what());
        return refusal_response({500, "internal", "The server could not do this."});
    }
}

}  // namespace oauth3::api
