#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace oauth3::base {

/// Remembers what was made from data that change now and then. The owner of the data counts their
/// generations; what was remembered at one generation is forgotten as soon as it is asked for at
/// another, so nothing outlives a change. At most `most` values are kept: one more, and all are
/// forgotten.
template <typename Value>
class Memo {
  public:
    explicit Memo(std::size_t most) : most_(most) {}

    /// Null if nothing is remembered. Good until the next call of anything here.
    const Value* find(std::string_view key, std::uint64_t generation) {
        if (generation != generation_) return nullptr;
        const auto found = values_.find(key);
        return found == values_.end() ? nullptr : &found->second;
    }

    /// `generation` is the one at which the making of `value` began.
    void put(std::string_view key, std::uint64_t generation, Value value) {
        if (generation != generation_ || values_.size() >= most_) values_.clear();
        generation_ = generation;
        values_.insert_or_assign(std::string(key), std::move(value));
    }

  private:
    std::size_t most_;
    std::uint64_t generation_ = 0;
    std::map<std::string, Value, std::less<>> values_;
};

}  // namespace oauth3::base
