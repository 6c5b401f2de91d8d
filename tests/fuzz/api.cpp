// The HTTP face behind the connection: routes, hosts, origins, keys, cookies, bodies and pages. An
// input is requests of "METHOD target", header lines, an empty line and a body, parted by a line
// of "----". What they could not guess they name: see api_world.h. Promises:
//   - every request has a reply that can be sent, and none is an internal error;
//   - a refusal is JSON with a sentence and a code, or a page; a page holds no script;
//   - a host name that was not allowed is refused;
//   - without a credential nothing that needs one answers, and without the human's nothing is
//     decided; what is another human's neither changes nor shows.

#include "base/json.h"
#include "fuzz/api_world.h"
#include "fuzz/fuzz.h"
#include "http/head.h"
#include "http/render.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <optional>
#include <random>
#include <string>
#include <vector>

/// libFuzzer's own way of changing an input.
extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

using namespace oauth3;
using fuzz::require;
using fuzz::World;

namespace {

constexpr int kMostRequests = 4;

/// The credentials that an input uses. They are looked for as they are, since libFuzzer learns what
/// the code compares.
struct Credentials {
    Credentials(const World& world, const std::string& text) {
        const auto has = [&](const char* name) {
            return text.find(world.value(name)) != std::string::npos;
        };
        agent = has("$AGENT") || has("$SECOND");
        owner_key = has("$OWNER");
        cookie = has("$COOKIE");
        csrf = has("$CSRF");
        token = has("$TOKEN");
        once = has("$ONCE");
        stranger = has("$STRANGER");
        names_others = text.find("foreign-planted") != std::string::npos;
    }
    bool admin() const { return owner_key || cookie; }
    bool owner() const { return admin() || stranger; }
    /// Whether the human has a hand in it.
    bool human() const { return owner_key || (cookie && csrf) || once; }
    /// Whether what is another human's must neither change nor show.
    bool hides_others() const { return !stranger && !names_others; }

    bool agent = false, owner_key = false, cookie = false, csrf = false, token = false,
         once = false, stranger = false, names_others = false;
};

bool may_answer(api::Auth auth, const Credentials& has) {
    switch (auth) {
        case api::Auth::none:
            return true;
        case api::Auth::agent:
            return has.agent;
        case api::Auth::owner:
            return has.owner();
        case api::Auth::admin:
            return has.admin();
        case api::Auth::agent_or_owner:
            return has.agent || has.owner();
        case api::Auth::link:
            return has.owner() || has.token;
        case api::Auth::view:
            return has.agent || has.owner() || has.token;
        case api::Auth::browser:
            return has.cookie;
    }
    return false;
}

std::string_view take_line(std::string_view& text) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    return line;
}

/// What the connection would make of it; nullopt for what it would refuse.
std::optional<http::Request> read(std::string_view text) {
    http::Request request;
    const std::string_view first = take_line(text);
    const std::size_t blank = first.find(' ');
    if (blank == std::string_view::npos || !http::is_token(first.substr(0, blank)))
        return std::nullopt;
    request.method = first.substr(0, blank);
    while (!text.empty()) {
        std::string_view line = take_line(text);
        if (line.empty()) break;
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos || !http::is_token(line.substr(0, colon)))
            return std::nullopt;
        std::string_view value = line.substr(colon + 1);
        while (value.starts_with(' ')) value.remove_prefix(1);
        while (value.ends_with(' ')) value.remove_suffix(1);
        if (!http::is_field_value(value)) return std::nullopt;
        request.fields.emplace_back(line.substr(0, colon), value);
    }
    request.body = text;
    if (!http::set_target(request, first.substr(blank + 1))) return std::nullopt;
    if (!request.has_header("Host")) request.fields.emplace_back("Host", "127.0.0.1:3737");
    http::Fields framing;
    for (const auto& field : request.fields)
        if (!http::equal_ignoring_case(field.first, "Transfer-Encoding") &&
            !http::equal_ignoring_case(field.first, "Content-Length"))
            framing.push_back(field);
    if (!http::read_framing(framing, 11)) return std::nullopt;
    return request;
}

/// The rule of wire 1.1 in its plainest form; nullopt for hosts that need more than that to judge.
std::optional<bool> is_allowed_host(std::string_view header) {
    std::string host(header);
    for (char& c : host) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        if (static_cast<unsigned char>(c) >= 0x80 || c == '%') return std::nullopt;
    }
    if (host.starts_with('[')) {
        const std::size_t close = host.find(']');
        if (close == std::string::npos) return false;
        std::array<unsigned char, 16> address{};
        return ::inet_pton(AF_INET6, host.substr(1, close - 1).c_str(), address.data()) == 1;
    }
    host = host.substr(0, host.find(':'));
    if (host.ends_with('.')) host.pop_back();
    std::array<unsigned char, 4> address{};
    return host == "localhost" || host == "oauth3.internal" ||
           ::inet_pton(AF_INET, host.c_str(), address.data()) == 1;
}

std::vector<std::string_view> values(const http::Response& response, const char* name) {
    std::vector<std::string_view> out;
    for (const auto& [key, value] : response.headers)
        if (http::equal_ignoring_case(key, name)) out.push_back(value);
    return out;
}

void check_form(const http::Response& response) {
    require(response.status != 500, "no request is an internal error", response.body);
    require(http::is_sendable(response), "every reply can be sent", response.body);
    require(values(response, "X-Content-Type-Options") == std::vector<std::string_view>{"nosniff"},
            "nosniff");
    require(values(response, "Cache-Control") == std::vector<std::string_view>{"no-store"},
            "no-store");
    const auto types = values(response, "Content-Type");
    require(types.size() == (response.body.empty() ? types.size() : 1), "one content type",
            response.body);
    const std::string_view type = types.empty() ? std::string_view() : types.front();
    if (type.starts_with("application/json")) {
        const base::Json body = base::parse_json(response.body);
        if (response.status < 400) return;
        const auto error = body.value("error", "");
        require(!error.empty() && error.find('\n') == std::string::npos, "a refusal is a sentence",
                response.body);
        require(!body.value("code", "").empty(), "a refusal has a code", response.body);
    } else if (type.starts_with("text/html")) {
        require(!values(response, "Content-Security-Policy").empty(), "a page has its policy",
                response.body);
        std::string page = response.body;
        std::transform(page.begin(), page.end(), page.begin(),
                       [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
        require(page.find("<script") == std::string::npos, "a page holds no script", page);
    } else {
        require(response.status < 400, "a refusal is JSON or a page", response.body);
    }
}

void play(World& world, http::Request& request, const Credentials& has) {
    const std::string host(request.header("Host"));
    const api::Endpoint* const route = world.route(request.method, request.path);
    const bool is_options = request.method == "OPTIONS";
    std::string shown = request.method + " " + request.path + "?" + request.query + "\n";
    for (const auto& [name, value] : request.fields) shown += name + ": " + value + "\n";
    shown += "\n" + request.body;
    const http::Response response = world.call(request);
    check_form(response);
    if (const auto allowed = is_allowed_host(host); allowed && !host.empty())
        require((response.status != 421) == *allowed, "hosts are refused that were not allowed",
                host);
    if (response.status >= 200 && response.status < 300 && !is_options) {
        require(route != nullptr, "only routes answer", shown);
        require(may_answer(route->auth, has), "nobody gets what is not for everybody", shown);
    }
    require(!has.hides_others() || response.body.find("foreign-planted") == std::string::npos,
            "what is others' is unseen", shown);
    for (const char* name : {"$OWNER", "$COOKIE", "$ONCE", "$AGENT", "$SECOND", "$STRANGER"})
        require(shown.find(world.value(name)) != std::string::npos ||
                    response.body.find(world.value(name)) == std::string::npos,
                "no reply holds a credential", response.body);
}

World& the_world() {
    static World world;
    return world;
}

/// Puts another name in the place of one, if there is one.
std::string with_other_name(std::string text, std::minstd_rand& random) {
    std::vector<std::size_t> places;
    for (std::size_t at = text.find('$'); at != std::string::npos; at = text.find('$', at + 1))
        places.push_back(at);
    if (places.empty()) return text;
    const std::size_t at = places[random() % places.size()];
    std::size_t end = at + 1;
    while (end < text.size() && text[end] >= 'A' && text[end] <= 'Z') ++end;
    const std::vector<std::string> names = the_world().names();
    return text.replace(at, end - at, names[random() % names.size()]);
}

/// Sends the first request to another route, with its parts still to be named.
std::string to_other_route(std::string text, std::minstd_rand& random) {
    const auto& routes = the_world().routes();
    std::string line = routes[random() % routes.size()];
    for (std::size_t colon = 0; (colon = line.find(':')) != std::string::npos;) {
        const std::size_t end = std::min(line.find('/', colon), line.size());
        const std::vector<std::string> names = the_world().names();
        line.replace(colon, end - colon, names[random() % names.size()]);
    }
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::size_t query = text.find('?');
    return text.replace(0, std::min(query, end), line);
}

}  // namespace

/// Half of the changes are such as only somebody who knows the server would make: another name for
/// a key or an id, another route.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t most, unsigned seed) {
    std::minstd_rand random(seed);
    std::string text(fuzz::as_text(data, size));
    switch (random() % 4) {
        case 0:
            text = with_other_name(std::move(text), random);
            break;
        case 1:
            text = to_other_route(std::move(text), random);
            break;
        default:
            return LLVMFuzzerMutate(data, size, most);
    }
    size = std::min(text.size(), most);
    std::copy_n(text.begin(), size, data);
    return size;
}

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    World& world = the_world();
    static const std::string foreign = world.foreign_state();
    static const std::string human = world.human_state();
    const std::string input(fuzz::as_text(data, size));
    const std::string text = world.fill_in(input);
    const Credentials has(world, text);
    std::string_view rest = text;
    for (int i = 0; i < kMostRequests && !rest.empty(); ++i) {
        constexpr std::string_view kNext = "\n----\n";
        const std::string_view one = rest.substr(0, rest.find(kNext));
        rest.remove_prefix(std::min(one.size() + kNext.size(), rest.size()));
        auto request = read(one);
        if (!request) continue;
        play(world, *request, has);
    }
    if (!world.changed()) return 0;
    require(!has.hides_others() || world.foreign_state() == foreign,
            "what is another human's does not change", text);
    if (!has.human()) {
        std::string now = world.human_state();
        require(now == human, "only a human decides", human + "\n" + now + "\n" + text);
    }
    world.restore();
    return 0;
}
