#pragma once

#include <fmt/format.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

/// What libFuzzer calls, again and again, with bytes of its own making.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace oauth3::fuzz {

inline std::string_view as_text(const std::uint8_t* data, std::size_t size) {
    return {reinterpret_cast<const char*>(data), size};
}

/// The program's stderr before libFuzzer took it away from the code under test, which logs.
inline const int kStderr = ::dup(2);

/// Ends the program, which is how libFuzzer learns that an input broke a promise.
[[noreturn]] inline void broken(std::string_view promise, std::string_view detail = {}) {
    const std::string text = fmt::format("BROKEN PROMISE: {}\n{}\n", promise, detail);
    if (::write(kStderr, text.data(), text.size()) < 0) std::perror("write");
    std::abort();
}

inline void require(bool kept, std::string_view promise, std::string_view detail = {}) {
    if (!kept) broken(promise, detail);
}

}  // namespace oauth3::fuzz
