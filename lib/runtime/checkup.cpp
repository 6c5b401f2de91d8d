#include "runtime/checkup.h"

#include "base/error.h"
#include "runtime/deno.h"

#include <cstdlib>

namespace oauth3::runtime {
namespace {

namespace fs = std::filesystem;

class TemporaryFolder {
  public:
    TemporaryFolder() {
        std::string path = (fs::temp_directory_path() / "oauth3-checkup-XXXXXX").string();
        if (::mkdtemp(path.data()) == nullptr) base::throw_errno("make " + path);
        path_ = path;
    }
    ~TemporaryFolder() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    const fs::path& path() const { return path_; }

  private:
    fs::path path_;
};

}  // namespace

jail::CheckUp check_up(const jail::Spawner& spawner, const fs::path& deno) {
    jail::CheckUp found = jail::check_up(spawner);
    jail::Finding finding{"deno", jail::Verdict::no, {}, {}};
    try {
        const TemporaryFolder folder;
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
