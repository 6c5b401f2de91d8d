#pragma once

#include "support/property.h"

#include <random>
#include <string>
#include <vector>

namespace oauth3::test {

/// All the choices of one case, from one number that rapidcheck draws and, on a failure, shows.
class Draws {
  public:
    Draws() : engine_(*rc::gen::arbitrary<std::uint32_t>() | 1U) {}

    int below(int bound) { return std::uniform_int_distribution<int>(0, bound - 1)(engine_); }
    bool coin() { return below(2) == 1; }
    bool one_in(int bound) { return below(bound) == 0; }
    template <typename T>
    const T& of(const std::vector<T>& list) {
        return list[static_cast<std::size_t>(below(static_cast<int>(list.size())))];
    }
    /// Some of the texts, one behind the other.
    std::string joined(const std::vector<std::string>& list, int most) {
        std::string out;
        for (int left = below(most + 1); left > 0; --left) out += of(list);
        return out;
    }

  private:
    std::minstd_rand engine_;
};

}  // namespace oauth3::test
