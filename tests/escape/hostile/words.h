#pragma once

#include <span>
#include <string>
#include <vector>

/// A program that attacks: its first argument is a word, one attack each. What it prints is the
/// result of the one step that decides: "ok" or the name of an errno value.
namespace hostile {

using Arguments = std::vector<std::string>;

struct Word {
    const char* name;
    void (*attack)(const Arguments&);
};

/// One file, one subject.
std::span<const Word> file_words();
std::span<const Word> process_words();
std::span<const Word> privilege_words();
std::span<const Word> kernel_words();
std::span<const Word> mount_words();
std::span<const Word> network_words();
std::span<const Word> foreign_words();
std::span<const Word> bomb_words();
std::span<const Word> survival_words();

/// Makes the attack that the first argument names with the rest of them.
void run(const Arguments& words);

/// Prints "ok", or, for a negative result, the name of errno.
void tell(long result);
void say(const char* text);

/// Says which step before the decisive one failed, and ends: no test expects that.
[[noreturn]] void unable(const char* step);
/// Ends like that if the result is negative; else passes it on.
long need(long result, const char* step);

long number(const std::string& text);
/// A copy of the running program. Returns a negative number with errno set if it cannot be made.
int copy_self(const char* path);

}  // namespace hostile
