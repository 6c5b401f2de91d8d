#include "http/router.h"

#include "base/error.h"
#include "http/form.h"

#include <algorithm>
#include <map>
#include <set>

namespace oauth3::http {
namespace {

/// "/a/b" is ["a","b"], "/" is [""], and "/a/" is ["a",""].
std::vector<std::string_view> split(std::string_view path) {
    std::vector<std::string_view> segments;
    while (!path.empty()) {
        path.remove_prefix(1);
        const std::size_t end = std::min(path.find('/'), path.size());
        segments.push_back(path.substr(0, end));
        path.remove_prefix(end);
    }
    return segments;
}

using Segments = std::vector<std::string_view>;

}  // namespace

struct Router::Node {
    std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
    std::unique_ptr<Node> param;
    std::map<std::string, Route, std::less<>> routes;  // by method

    const Route* find(std::string_view method) const {
        auto found = routes.find(method);
        if (found == routes.end() && method == "HEAD") found = routes.find("GET");
        return found == routes.end() ? nullptr : &found->second;
    }

    /// Literals first; where that way leads nowhere, the ':name' way is tried. The methods of each
    /// node that fits the path but not the method go to `allowed`.
    const Route* search(std::string_view method, const Segments& path, std::size_t at,
                        std::vector<std::string>& params, std::set<std::string>& allowed) const {
        if (at == path.size()) {
            for (const auto& [name, route] : routes) {
                allowed.insert(name);
                if (name == "GET") allowed.insert("HEAD");
            }
            return find(method);
        }
        if (const auto next = literals.find(path[at]); next != literals.end()) {
            const Route* route = next->second->search(method, path, at + 1, params, allowed);
            if (route) return route;
        }
        if (!param || path[at].empty()) return nullptr;
        auto value = percent_decode(path[at]);
        if (!value) return nullptr;
        params.push_back(std::move(*value));
        const Route* route = param->search(method, path, at + 1, params, allowed);
        if (!route) params.pop_back();
        return route;
    }
};

Router::Router() : root_(std::make_unique<Node>()) {}
Router::~Router() = default;
Router::Router(Router&&) noexcept = default;
Router& Router::operator=(Router&&) noexcept = default;

void Router::add(Route route) {
    const auto refuse = [&route](const char* why) {
        throw base::Error("bad_route",
                          "Route '" + route.method + " " + route.pattern + "': " + why + ".");
    };
    if (!is_token(route.method) || !route.handler) refuse("it needs a method and a handler");
    if (route.pattern.empty() || route.pattern.front() != '/') refuse("it must begin with '/'");
    Node* node = root_.get();
    for (const std::string_view segment : split(route.pattern)) {
        if (segment == ":") refuse("':' needs a name");
        auto& next = !segment.empty() && segment.front() == ':'
                         ? node->param
                         : node->literals.try_emplace(std::string(segment)).first->second;
        if (!next) next = std::make_unique<Node>();
        node = next.get();
    }
    if (node->routes.count(route.method) != 0) refuse("there is one like it already");
    const std::string method = route.method;
    node->routes.emplace(method, std::move(route));
}

Match Router::match(std::string_view method, std::string_view path) const {
    Match match;
    if (path.empty() || path.front() != '/') return match;
    std::set<std::string> allowed;
    match.route = root_->search(method, split(path), 0, match.params, allowed);
    if (match.route) {
        match.kind = Match::Kind::matched;
    } else if (!allowed.empty()) {
        match.kind = Match::Kind::method_not_allowed;
        match.allowed.assign(allowed.begin(), allowed.end());
    }
    return match;
}

}  // namespace oauth3::http
