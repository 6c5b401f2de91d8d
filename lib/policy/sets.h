#pragma once

#include "base/network.h"

#include <algorithm>
#include <string>
#include <vector>

// Small sets, as sorted lists without repeats, and lists of networks.

namespace oauth3::policy {

template <typename T>
bool contains(const std::vector<T>& list, const T& item) {
    return std::find(list.begin(), list.end(), item) != list.end();
}

/// True if every one of `some` is in `all`; in any order.
template <typename T>
bool includes_all(const std::vector<T>& all, const std::vector<T>& some) {
    return std::all_of(some.begin(), some.end(),
                       [&all](const T& item) { return contains(all, item); });
}

template <typename T>
void make_set(std::vector<T>& list) {
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
}

/// Adds what is missing; the result is a set.
template <typename T>
void unite(std::vector<T>& into, const std::vector<T>& more) {
    into.insert(into.end(), more.begin(), more.end());
    make_set(into);
}

/// True iff one of these networks covers that one.
bool covered(const std::vector<base::Network>& by, const base::Network& network);

/// What of `a` is left within `b`, as a set: a network that is allowed as it is, else what is allowed
/// of it.
std::vector<base::Network> intersection(const std::vector<base::Network>& a,
                                        const std::vector<base::Network>& b);

std::vector<std::string> texts_of(const std::vector<base::Network>& networks);
/// Reads texts that were written by texts_of; throws Error "corrupt" for any other.
std::vector<base::Network> networks_from(const std::vector<std::string>& texts);

}  // namespace oauth3::policy
