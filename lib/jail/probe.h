#pragma once

#include "jail/spec.h"

namespace oauth3::jail {

/// Does in a jail, in the place of a program, what `kind` names, and writes what came of it to
/// stdout: lines "key value", where a value is "ok", the name of an errno value, or what was read.
/// Everything tried is harmless where it succeeds.
void run_probe(Probe kind);

}  // namespace oauth3::jail
