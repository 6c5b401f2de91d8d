#include "jail/finding.h"

namespace oauth3::jail {

std::string_view to_string(Verdict verdict) {
    switch (verdict) {
        case Verdict::yes:
            return "yes";
        case Verdict::weaker:
            return "weaker";
        case Verdict::watch:
            return "watch";
        case Verdict::no:
            return "no";
    }
    return "?";
}

void Findings::add(const char* name, Verdict verdict, std::string seen, std::string mend) {
    all_.push_back({name, verdict, std::move(seen), std::move(mend)});
}

void Findings::add(const char* name, bool good, std::string seen, std::string mend) {
    add(name, good ? Verdict::yes : Verdict::no, std::move(seen),
        good ? std::string() : std::move(mend));
}

}  // namespace oauth3::jail
