#pragma once

#include <span>

namespace oauth3::store {

/// The migrations, oldest first. The database's user_version says how many of them it has had.
/// A migration that was released is never changed; a new one is added behind it.
std::span<const char* const> migrations();

}  // namespace oauth3::store
