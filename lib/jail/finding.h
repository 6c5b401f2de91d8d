#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace oauth3::jail {

/// How well a protection holds on this machine, for this user.
enum class Verdict {
    yes,
    weaker,  ///< it holds, but less than it could: `seen` says in what
    watch,   ///< a limit that this program holds instead of the kernel, up to 1 s late
    no,
};

/// The word of the enum.
std::string_view to_string(Verdict verdict);

/// One protection, and what was seen of it.
struct Finding {
    std::string name;  ///< a few words joined by dashes, such as "system-calls"
    Verdict verdict = Verdict::no;
    std::string seen;  ///< what was tried, and what came of it: one sentence
    std::string mend;  ///< what to do about it, if anything can be done
};

/// Findings, one after the other.
class Findings {
  public:
    void add(const char* name, Verdict verdict, std::string seen, std::string mend = {});
    /// Yes or no; what is good needs no mend.
    void add(const char* name, bool good, std::string seen, std::string mend = {});
    std::vector<Finding> take() { return std::move(all_); }

  private:
    std::vector<Finding> all_;
};

}  // namespace oauth3::jail
