#pragma once

#include "base/json.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <variant>

namespace re2 {
class RE2;
}

namespace oauth3::policy {

/// What an argument of a run must be (wire 6.4): a pattern that the whole of its text matches, or a
/// comparison without coercion.
class TypedArg {
  public:
    static constexpr std::size_t kMaxPattern = 200;  ///< characters

    /// Reads {param, pattern} or {param, op, value}, either perhaps with the `type` that older
    /// clients send ("regex", "predicate"). op is one of == != < <= > >= in prefix suffix. The
    /// second is one plain sentence why it is none.
    static std::variant<TypedArg, std::string> parse(const base::Json& object);

    /// Why the args (an object) break it, as wire 6.4 says it: "arg REPO: does not match ...";
    /// nullopt if they do not. A missing argument and a null break it. Takes time linear in the
    /// argument's length.
    std::optional<std::string> violation(const base::Json& args) const;

    const std::string& param() const { return param_; }
    /// What parse() reads back to an equal one.
    base::Json json() const;
    /// For people: "REPO matches acme/.*", "COUNT <= 3".
    std::string text() const;

    friend bool operator==(const TypedArg& a, const TypedArg& b) { return a.json() == b.json(); }

  private:
    std::string param_;
    std::shared_ptr<const re2::RE2> pattern_;  ///< none for a comparison
    std::string op_;
    base::Json value_;
};

/// -1, 0 or 1 for two JSON numbers by their exact values, also where an integer has no double.
int compare_numbers(const base::Json& a, const base::Json& b);

}  // namespace oauth3::policy
