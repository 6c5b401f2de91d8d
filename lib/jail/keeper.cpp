#include "jail/keeper.h"

namespace oauth3::jail {

std::string_view to_string(Keeper keeper) {
    switch (keeper) {
        case Keeper::kernel:
            return "kernel";
        case Keeper::watch:
            return "watch";
        case Keeper::none:
            return "none";
    }
    return "none";
}

}  // namespace oauth3::jail
