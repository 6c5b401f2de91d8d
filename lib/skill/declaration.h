#pragma once

#include "base/clock.h"
#include "base/network.h"

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace oauth3::skill {

/// What a program's header asks for (wire 4.2). Sets keep the order in which they were written,
/// without repeats.
struct Declaration {
    std::optional<std::string> skill;
    std::string description;
    std::vector<std::string> secrets;
    std::vector<base::Network> networks;
    base::Seconds timeout{30};
    std::vector<std::string> warnings;  ///< sentences for the agent and the approver
};

/// Where and why a header is malformed. Line and column count from 1, the column in characters.
struct MetadataProblem {
    std::string message;
    std::size_t line = 1;
    std::size_t column = 1;
};

inline constexpr std::size_t kMaxListEntries = 32;
inline constexpr base::Seconds kMaxTimeout{3600};

/// Reads the leading comment block of a program, and nothing after it. Later comments that look
/// like directives only add warnings. The code must be valid UTF-8.
std::variant<Declaration, MetadataProblem> parse(std::string_view code);

/// True iff the bytes can be a program: valid UTF-8 without NUL.
bool is_program(std::string_view bytes);

/// SHA-256 of exactly these bytes, as 64 lower-case hex: what is shown, approved and run.
std::string code_hash(std::string_view code);

}  // namespace oauth3::skill
