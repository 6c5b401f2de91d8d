#include "api/pages/next.h"

#include <algorithm>

namespace oauth3::api::pages {
namespace {

constexpr std::size_t kLongest = 2000;

bool is_local_path(std::string_view path) {
    if (!path.starts_with('/') || path.starts_with("//") || path.starts_with("/\\")) return false;
    return path.size() <= kLongest &&
           std::all_of(path.begin(), path.end(), [](char c) { return c > ' ' && c < 0x7F; });
}

}  // namespace

std::string safe_next(const std::optional<std::string>& wanted) {
    return wanted && is_local_path(*wanted) ? *wanted : "/dashboard";
}

}  // namespace oauth3::api::pages
