#include "runtime/checkup.h"

#include "base/error.h"
#include "base/files.h"
#include "runtime/deno.h"

namespace oauth3::runtime {

jail::CheckUp check_up(const jail::Spawner& spawner, const std::filesystem::path& deno) {
    jail::CheckUp found = jail::check_up(spawner);
    jail::Finding finding{"deno", jail::Verdict::no, {}, {}};
    try {
        const base::TemporaryFolder folder("checkup");
        const Deno runtime(spawner, find_deno(deno), folder.path() / "runtime", found.without);
        finding.seen = "version " + runtime.version() + " starts in a jail";
        finding.verdict = jail::Verdict::yes;
    } catch (const base::Error& error) {
        finding.seen = error.what();
        finding.mend = error.hint();
    }
    found.findings.push_back(std::move(finding));
    return found;
}

}  // namespace oauth3::runtime
