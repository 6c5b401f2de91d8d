#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

/// A program that does in a jail what a jail must withstand: its first argument is a word, one
/// probe each. It is also run outside, to see that the same probe succeeds there.
namespace hostile {

using Arguments = std::vector<std::string>;

struct Word {
    const char* name;
    int (*probe)(const Arguments&);  ///< its result is the exit code
};

/// One file, one subject.
std::span<const Word> memory_words();
std::span<const Word> process_words();
std::span<const Word> file_words();
std::span<const Word> seeing_words();

/// "ok" or the name of the errno value, one line.
void tell(long result);

/// The first argument, 0 without one.
int number(const Arguments& a);

void ignore_all_signals();

inline constexpr std::size_t kMegabyte = std::size_t{1} << 20;

}  // namespace hostile
