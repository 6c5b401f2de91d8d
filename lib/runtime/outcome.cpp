#include "runtime/outcome.h"

namespace oauth3::runtime {

std::string_view to_string(Cause cause) {
    switch (cause) {
        case Cause::finished:
            return "finished";
        case Cause::signal:
            return "signal";
        case Cause::deadline:
            return "deadline";
        case Cause::memory:
            return "memory";
        case Cause::cancelled:
            return "cancelled";
        case Cause::tripwire:
            return "tripwire";
        case Cause::setup:
            return "setup";
    }
    return "unknown";
}

}  // namespace oauth3::runtime
