#include "skill/names.h"

#include <algorithm>
#include <array>

namespace oauth3::skill {
namespace {

bool is_upper(char c) {
    return c >= 'A' && c <= 'Z';
}
bool is_lower(char c) {
    return c >= 'a' && c <= 'z';
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

constexpr std::size_t kMaxName = 64;

constexpr std::array<std::string_view, 10> kReserved{
    "PATH",       "HOME",           "PWD",         "TMPDIR",     "IFS", "SKILL_ARGS",
    "GCONV_PATH", "GLIBC_TUNABLES", "HOSTALIASES", "RES_OPTIONS"};
constexpr std::array<std::string_view, 10> kReservedPrefixes{
    "LD_", "DYLD_", "DENO_", "NODE_", "NPM_", "V8_", "SSL_", "OAUTH3_", "PYTHON", "BASH_"};
constexpr std::string_view kReservedSuffix = "_proxy";

bool ends_with_any_case(std::string_view name, std::string_view lower_suffix) {
    if (name.size() < lower_suffix.size()) return false;
    return std::equal(lower_suffix.begin(), lower_suffix.end(),
                      name.end() - static_cast<std::ptrdiff_t>(lower_suffix.size()),
                      [](char l, char c) { return l == (is_upper(c) ? c - 'A' + 'a' : c); });
}

}  // namespace

bool is_secret_name(std::string_view name) {
    return !name.empty() && name.size() <= kMaxName && !is_digit(name.front()) &&
           std::all_of(name.begin(), name.end(),
                       [](char c) { return is_upper(c) || is_digit(c) || c == '_'; });
}

bool is_arg_name(std::string_view name) {
    return !name.empty() && name.size() <= kMaxName && !is_digit(name.front()) &&
           std::all_of(name.begin(), name.end(), [](char c) {
               return is_upper(c) || is_lower(c) || is_digit(c) || c == '_';
           });
}

bool is_reserved_name(std::string_view name) {
    return std::find(kReserved.begin(), kReserved.end(), name) != kReserved.end() ||
           std::any_of(kReservedPrefixes.begin(), kReservedPrefixes.end(),
                       [name](std::string_view p) { return name.starts_with(p); }) ||
           ends_with_any_case(name, kReservedSuffix);
}

}  // namespace oauth3::skill
