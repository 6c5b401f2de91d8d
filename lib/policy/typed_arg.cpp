#include "policy/typed_arg.h"

#include "base/utf8.h"
#include "skill/args.h"
#include "skill/names.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <limits>
#include <string_view>

namespace oauth3::policy {
namespace {

using base::Json;

constexpr std::array kOrders{"<", "<=", ">", ">="};
constexpr std::array kOthers{"==", "!=", "in", "prefix", "suffix"};

bool is_order(std::string_view op) {
    return std::find(kOrders.begin(), kOrders.end(), op) != kOrders.end();
}
bool is_op(std::string_view op) {
    return is_order(op) || std::find(kOthers.begin(), kOthers.end(), op) != kOthers.end();
}

/// The types of JSON, of which number is one.
bool same_type(const Json& a, const Json& b) {
    return a.type() == b.type() || (a.is_number() && b.is_number());
}

/// Like ==, but numbers by their exact values, within lists and objects too.
bool equal(const Json& a, const Json& b) {
    if (a.is_number() && b.is_number()) return compare_numbers(a, b) == 0;
    if (a.type() != b.type() || a.size() != b.size()) return false;
    if (a.is_array()) return std::equal(a.begin(), a.end(), b.begin(), equal);
    if (a.is_object()) {
        // Both are sorted by name.
        return std::equal(a.items().begin(), a.items().end(), b.items().begin(),
                          [](const auto& x, const auto& y) {
                              return x.key() == y.key() && equal(x.value(), y.value());
                          });
    }
    return a == b;
}

std::string shown(const std::string& text) {
    return base::make_visible(base::cut_utf8(text, 200), false);
}

std::shared_ptr<const re2::RE2> compile(const std::string& pattern) {
    re2::RE2::Options options(re2::RE2::Quiet);
    options.set_never_capture(true);
    options.set_max_mem(std::int64_t{1} << 20);
    return std::make_shared<const re2::RE2>(pattern, options);
}

std::optional<std::string> problem_of_value(const std::string& op, const Json& value) {
    if (is_order(op) && !value.is_number()) return "\"value\" must be a number for this \"op\"";
    if ((op == "prefix" || op == "suffix") && !value.is_string())
        return "\"value\" must be a text for this \"op\"";
    if (op == "in" && (!value.is_array() || value.empty()))
        return "\"value\" must be a list for this \"op\"";
    if (value.is_null()) return "\"value\" is missing";
    return std::nullopt;
}

bool holds(const std::string& op, const Json& wanted, const Json& value) {
    if (op == "in")
        return std::any_of(wanted.begin(), wanted.end(),
                           [&value](const Json& item) { return equal(item, value); });
    if (!same_type(wanted, value)) return false;
    if (op == "==") return equal(wanted, value);
    if (op == "!=") return !equal(wanted, value);
    if (op == "prefix")
        return value.get_ref<const std::string&>().starts_with(
            wanted.get_ref<const std::string&>());
    if (op == "suffix")
        return value.get_ref<const std::string&>().ends_with(wanted.get_ref<const std::string&>());
    const int order = compare_numbers(value, wanted);
    if (op == "<") return order < 0;
    if (op == "<=") return order <= 0;
    if (op == ">") return order > 0;
    return op == ">=" && order >= 0;
}

}  // namespace

int compare_numbers(const Json& a, const Json& b) {
    // Holds every 64-bit integer and every double exactly.
    using Exact = long double;
    static_assert(std::numeric_limits<Exact>::digits >= 64);
    const auto exact = [](const Json& number) -> Exact {
        if (number.is_number_unsigned()) return static_cast<Exact>(number.get<std::uint64_t>());
        if (number.is_number_integer()) return static_cast<Exact>(number.get<std::int64_t>());
        return static_cast<Exact>(number.get<double>());
    };
    const Exact x = exact(a);
    const Exact y = exact(b);
    return x < y ? -1 : x > y ? 1 : 0;
}

std::variant<TypedArg, std::string> TypedArg::parse(const Json& object) {
    if (!object.is_object()) return "it must be an object";
    TypedArg out;
    std::string type;
    std::optional<std::string> pattern;
    for (const auto& [name, value] : object.items()) {
        const bool text = value.is_string();
        if (name == "param" && text) {
            out.param_ = value.get<std::string>();
        } else if (name == "pattern" && text) {
            pattern = value.get<std::string>();
        } else if (name == "op" && text) {
            out.op_ = value.get<std::string>();
        } else if (name == "type" && text) {
            type = value.get<std::string>();
        } else if (name == "value") {
            out.value_ = value;
        } else {
            return fmt::format("\"{}\" is no part of it, or no text", shown(name));
        }
    }
    if (!skill::is_arg_name(out.param_)) return "\"param\" must be the name of an argument";
    const bool compares = !out.op_.empty() || object.contains("value");
    if (pattern.has_value() == compares) return "it takes either a pattern, or an op and a value";
    if (!type.empty() && type != (compares ? "predicate" : "regex"))
        return "\"type\" does not go with the rest of it";
    if (compares) {
        if (!is_op(out.op_)) return "\"op\" must be one of == != < <= > >= in prefix suffix";
        if (auto problem = problem_of_value(out.op_, out.value_)) return std::move(*problem);
        return out;
    }
    if (base::utf8_length(*pattern) > kMaxPattern) return "a pattern takes at most 200 characters";
    out.pattern_ = compile(*pattern);
    if (!out.pattern_->ok())
        return fmt::format(
            "the pattern is not a regular expression without look-around and "
            "back-references ({})",
            shown(out.pattern_->error()));
    return out;
}

std::optional<std::string> TypedArg::violation(const Json& args) const {
    const auto found = args.find(param_);
    if (found == args.end() || found->is_null()) return fmt::format("arg {}: missing", param_);
    const Json& value = *found;
    if (pattern_) {
        if (re2::RE2::FullMatch(skill::text_of(value), *pattern_)) return std::nullopt;
        return fmt::format("arg {}: does not match {}", param_, shown(pattern_->pattern()));
    }
    if (holds(op_, value_, value)) return std::nullopt;
    return fmt::format("arg {}: is not {} {}", param_, op_, shown(base::dump_json(value_)));
}

Json TypedArg::json() const {
    if (pattern_) return {{"param", param_}, {"pattern", pattern_->pattern()}};
    return {{"param", param_}, {"op", op_}, {"value", value_}};
}

std::string TypedArg::text() const {
    if (pattern_) return fmt::format("{} matches {}", param_, pattern_->pattern());
    return fmt::format("{} {} {}", param_, op_, base::dump_json(value_));
}

}  // namespace oauth3::policy
