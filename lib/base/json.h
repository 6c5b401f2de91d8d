#pragma once

#include "base/error.h"

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>

// Instantiated once, in json.cpp: it is what makes files that use JSON slow to compile.
extern template class nlohmann::basic_json<>;

namespace oauth3::base {

using Json = nlohmann::json;

/// What parse_json throws: code "bad_json", one sentence with the place.
class JsonError : public Error {
  public:
    explicit JsonError(const std::string& message) : Error("bad_json", message) {}
};

/// Reads one JSON document (RFC 8259) strictly: UTF-8 only, no duplicate member names, no lone
/// surrogates, at most `max_depth` levels of nesting, nothing after the document.
Json parse_json(std::string_view text, int max_depth = 64);

/// The canonical form of RFC 8785 (JCS): members sorted by UTF-16 code units, numbers as
/// ECMAScript prints them. Integers beyond 2^53 are written as the nearest double, as the
/// standard demands. Throws Error "bad_json" for NaN, infinities and invalid UTF-8.
std::string canonical_json(const Json& value);

/// Compact JSON on one line, in UTF-8, members in the order of Json. Bytes that are not UTF-8
/// become U+FFFD, so that writing a reply never throws.
std::string dump_json(const Json& value);

}  // namespace oauth3::base
