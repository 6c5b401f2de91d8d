#pragma once

#include "base/error.h"
#include "base/json.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace oauth3::base {

/// A document of somebody else's that is not as it must be: `code` is "bad_request" unless a more
/// telling one is given, `field` the member at fault.
class Malformed : public Error {
  public:
    Malformed(std::string field, const std::string& message)
        : Malformed("bad_request", std::move(field), message) {}
    Malformed(std::string code, std::string field, const std::string& message,
              std::optional<std::size_t> index = std::nullopt)
        : Error(std::move(code), message), field_(std::move(field)), index_(index) {}

    const std::string& field() const { return field_; }
    /// Of the item at fault in the list `field`, from 0.
    std::optional<std::size_t> index() const { return index_; }

  private:
    std::string field_;
    std::optional<std::size_t> index_;
};

/// The members of a JSON object, read one by one. A member that is null counts as absent
/// (wire 1.2). What has another type than it must is thrown as Malformed.
class Members {
  public:
    explicit Members(Json object) : object_(std::move(object)) {}

    bool has(const std::string& name) const;
    /// The value as it is; nullptr if it is absent.
    const Json* find(const std::string& name) const;

    std::optional<std::string> text(const std::string& name) const;
    std::optional<bool> boolean(const std::string& name) const;
    /// A whole number from `low` to 2^53.
    std::optional<std::int64_t> whole(const std::string& name, std::int64_t low) const;
    /// A list of texts; a single text is a list of one.
    std::vector<std::string> texts(const std::string& name) const;
    /// A list of anything; what is no list is a list of one.
    std::vector<Json> items(const std::string& name) const;

    /// Names of members that are not in `known`: the first 20 of them, and how many there are.
    std::vector<std::string> unknown(const std::set<std::string>& known) const;
    std::size_t count_unknown(const std::set<std::string>& known) const;

  private:
    Json object_;
};

/// Other people's text, cut to 100 bytes and made visible, for a message that quotes it.
std::string shown(std::string_view text);

}  // namespace oauth3::base
