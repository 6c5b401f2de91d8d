#pragma once

#include "base/json.h"
#include "http/message.h"

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace oauth3::api {

/// The object in a request's body, read member by member. A member that is null counts as absent
/// (wire 1.2). Everything malformed is thrown as a Refusal.
class Body {
  public:
    /// 415 for another content type than JSON, 400 bad_json for what the strict reader refuses or
    /// what is no object. An empty body is an empty object.
    explicit Body(const http::Request& request);

    bool has(const std::string& name) const;
    /// The value as it is; an empty object counts as absent only if it is null.
    const base::Json* find(const std::string& name) const;

    std::optional<std::string> text(const std::string& name) const;
    std::optional<bool> boolean(const std::string& name) const;
    /// A whole number of at least `low`.
    std::optional<std::int64_t> whole(const std::string& name, std::int64_t low) const;
    /// A list of texts; a single text is a list of one.
    std::vector<std::string> texts(const std::string& name) const;

    /// Names of members that are not in `known`: the first 20 of them, and how many there are.
    std::vector<std::string> unknown(const std::set<std::string>& known) const;
    std::size_t count_unknown(const std::set<std::string>& known) const;

    /// The tenant that a call names, in query or body (wire 2.1); "" counts as none.
    std::optional<std::string> named_tenant(const http::Request& request) const;

    /// 400 bad_request if any of these members is there: nothing is accepted that nothing enforces.
    void refuse(const std::vector<std::string>& names) const;

  private:
    base::Json object_;
};

}  // namespace oauth3::api
