// A thousand runs, eight at a time, and what is left of them: nothing.
#include "base/error.h"
#include "base/files.h"
#include "escape/attack.h"
#include "escape/scene.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <sstream>
#include <thread>

using namespace oauth3;
using namespace oauth3::escape;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

struct Kind {
    std::vector<std::string> words;
    std::chrono::milliseconds deadline;
    std::string told;
};

const std::array<Kind, 7>& kinds() {
    static const std::array<Kind, 7> all{
        {{{"say-ok"}, 1h, "ok"},
         {{"signal-itself", std::to_string(SIGSEGV)}, 1h, "SIGSEGV"},
         {{"deaf"}, 60ms, "deadline"},
         {{"moving-target"}, 60ms, "deadline"},
         {{"daemon"}, 1h, "ok"},
         {{"output", "3"}, 1h, std::string(1 << 20, 'x')},
         {{"forks", "150"}, 1h, "EAGAIN"}}};
    return all;
}

std::size_t entries(const fs::path& folder) {
    const fs::directory_iterator all(folder);
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

/// Folders of control groups that are our helper's, in all trees that are mounted.
std::size_t control_groups() {
    const std::string ours = "-" + std::to_string(jail::test::spawner().pid()) + "-";
    std::size_t count = 0;
    std::istringstream mounts(base::read_file("/proc/self/mounts"));
    for (std::string line; std::getline(mounts, line);) {
        std::istringstream fields(line);
        std::string device, point, type;
        fields >> device >> point >> type;
        if (!type.starts_with("cgroup")) continue;
        std::error_code ignored;
        for (fs::recursive_directory_iterator
                 folder(point, fs::directory_options::skip_permission_denied, ignored),
             end;
             folder != end; folder.increment(ignored))
            if (folder->path().native().find(ours) != std::string::npos) ++count;
    }
    return count;
}

/// All that a run could leave behind.
struct Traces {
    std::string children;  ///< of the helper
    std::string mounts;
    std::string mounts_of_helper;
    std::size_t descriptors = 0;
    std::size_t descriptors_of_helper = 0;
    std::size_t groups = 0;
    std::size_t folders = 0;
    bool operator==(const Traces&) const = default;
};

Traces traces() {
    const std::string helper = std::to_string(jail::test::spawner().pid());
    Traces found;
    found.children = base::read_file("/proc/" + helper + "/task/" + helper + "/children");
    found.mounts = base::read_file("/proc/self/mountinfo");
    found.mounts_of_helper = base::read_file("/proc/" + helper + "/mountinfo");
    found.descriptors = entries("/proc/self/fd");
    found.descriptors_of_helper = entries("/proc/" + helper + "/fd");
    found.groups = control_groups();
    found.folders = entries(folder().parent_path());
    return found;
}

/// Temporary files in a folder that no other test uses.
class OwnTemporaryFolder {
  public:
    OwnTemporaryFolder() { ::setenv("TMPDIR", folder_.path().c_str(), 1); }

  private:
    jail::test::Folder folder_;
};

}  // namespace

TEST_CASE("a thousand runs, eight at a time, leave nothing behind", "[stress]") {
    static const OwnTemporaryFolder temporary;
    prepare_scene();
    // A jail that was reaped a moment ago may still have descriptors in the helper.
    const std::size_t at_rest = traces().descriptors_of_helper;
    for (const Kind& kind : kinds()) jail::test::run(spec(kind.words), {.deadline = kind.deadline});
    REQUIRE(jail::test::eventually([&] {
        const Traces now = traces();
        return now.children.empty() && now.descriptors_of_helper == at_rest;
    }));
    const Traces before = traces();

    constexpr int kRuns = 1000;
    std::atomic<int> next{0};
    std::atomic<int> as_expected{0};
    std::array<std::thread, 8> threads;
    for (std::thread& thread : threads)
        thread = std::thread([&] {
            for (int run = next++; run < kRuns; run = next++) {
                const Kind& kind = kinds()[static_cast<std::size_t>(run) % kinds().size()];
                jail::SuperviseOptions options;
                options.deadline = kind.deadline;
                const std::string told = told_by(
                    jail::supervise(jail::test::spawner().launch(spec(kind.words)), options));
                if (told == kind.told) ++as_expected;
            }
        });
    for (std::thread& thread : threads) thread.join();

    CHECK(as_expected == kRuns);
    jail::test::eventually([&] { return traces() == before; });
    const Traces after = traces();
    CHECK(after.children == before.children);
    CHECK(after.mounts == before.mounts);
    CHECK(after.mounts_of_helper == before.mounts_of_helper);
    CHECK(after.descriptors == before.descriptors);
    CHECK(after.descriptors_of_helper == before.descriptors_of_helper);
    CHECK(after.groups == before.groups);
    CHECK(after.folders == before.folders);
}
