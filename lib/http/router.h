#pragma once

#include "http/hold.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace oauth3::http {

/// One route. A pattern is "/" or segments such as "/execute/:id/status"; ":name" stands for one
/// non-empty segment.
struct Route {
    std::string method;
    std::string pattern;
    Handler handler;
};

/// What Router::match found.
struct Match {
    enum class Kind { matched, not_found, method_not_allowed };
    Kind kind = Kind::not_found;
    const Route* route = nullptr;      ///< set iff matched; lives as long as the router
    std::vector<std::string> params;   ///< if matched: the ':name' segments, percent-decoded
    std::vector<std::string> allowed;  ///< if method_not_allowed: for the Allow header, sorted
};

/// Finds the route for a request. A literal segment wins over ":name", wherever they stand in the
/// order of add(). HEAD goes to the route of GET unless it has one of its own.
class Router {
  public:
    Router();
    ~Router();
    Router(Router&&) noexcept;
    Router& operator=(Router&&) noexcept;

    /// Throws Error "bad_route" for a malformed pattern, or if method and shape were added before.
    void add(Route route);

    /// `path` is raw, as in Request::path. Literal segments are compared byte for byte, "/a/" is
    /// not "/a", and a segment that cannot be decoded matches nothing.
    Match match(std::string_view method, std::string_view path) const;

  private:
    struct Node;
    std::unique_ptr<Node> root_;
};

}  // namespace oauth3::http
