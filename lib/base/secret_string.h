#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

namespace oauth3::base {

/// Overwrites memory in a way that the compiler keeps.
void wipe(void* data, std::size_t size);

/// A text that must not leak by accident: it cannot be copied or printed, and is wiped when it
/// dies. `reveal()` is the one way to the bytes, easy to find in a review.
class SecretString {
  public:
    SecretString() = default;
    explicit SecretString(std::string value) : value_(std::move(value)) {}
    SecretString(SecretString&& other) noexcept : value_(std::move(other.value_)) { other.clear(); }
    SecretString& operator=(SecretString&& other) noexcept {
        if (this != &other) {
            clear();
            value_ = std::move(other.value_);
            other.clear();
        }
        return *this;
    }
    SecretString(const SecretString&) = delete;
    SecretString& operator=(const SecretString&) = delete;
    ~SecretString() { clear(); }

    std::string_view reveal() const { return value_; }
    bool empty() const { return value_.empty(); }

  private:
    void clear() noexcept {
        wipe(value_.data(), value_.capacity());
        value_.clear();
    }
    std::string value_;
};

}  // namespace oauth3::base

/// Formatting a secret does not compile.
template <>
struct fmt::formatter<oauth3::base::SecretString> {
    formatter() = delete;
};
