// A thousand runs, eight at a time, and what is left of them: nothing.
#include "base/error.h"
#include "base/files.h"
#include "escape/attack.h"
#include "escape/scene.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <map>
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

/// Folders of control groups that are the helper's, in all trees that are mounted.
std::size_t control_groups(pid_t helper) {
    const std::string ours = "-" + std::to_string(helper) + "-";
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

/// What a process has open, by kind: "socket", "pipe", "anon_inode", or a path.
std::map<std::string, std::size_t> descriptors(const std::string& pid) {
    std::map<std::string, std::size_t> found;
    for (const auto& entry : fs::directory_iterator("/proc/" + pid + "/fd")) {
        std::error_code closed_meanwhile;
        const std::string target = fs::read_symlink(entry.path(), closed_meanwhile).native();
        ++found[target.starts_with("anon_inode") ? target : target.substr(0, target.find(':'))];
    }
    return found;
}

/// All that a run could leave behind.
struct Traces {
    std::size_t children = 0;  ///< of the helper
    std::string mounts;
    std::string mounts_of_helper;
    std::map<std::string, std::size_t> descriptors;
    std::map<std::string, std::size_t> descriptors_of_helper;
    std::size_t groups = 0;
    std::size_t folders = 0;
    bool operator==(const Traces&) const = default;
};

Traces traces(pid_t spawner) {
    const std::string helper = std::to_string(spawner);
    Traces found;
    std::istringstream children(
        base::read_file("/proc/" + helper + "/task/" + helper + "/children"));
    for (pid_t child = 0; children >> child;) ++found.children;
    found.mounts = base::read_file("/proc/self/mountinfo");
    found.mounts_of_helper = base::read_file("/proc/" + helper + "/mountinfo");
    found.descriptors = descriptors("self");
    found.descriptors_of_helper = descriptors(helper);
    found.groups = control_groups(spawner);
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
    const jail::Spawner spawner = jail::Spawner::start();
    constexpr std::size_t kSpares = 2;
    const auto job = [](const Kind& kind) {
        jail::Spec made = spec(kind.words);
        made.spares = kSpares;
        return made;
    };
    for (const Kind& kind : kinds()) {
        jail::SuperviseOptions options;
        options.deadline = kind.deadline;
        jail::supervise(spawner.launch(job(kind)), options);
    }
    // At rest, when no jail is there but those that wait: of a jail that was reaped a moment ago,
    // descriptors may still be open.
    const auto at_rest = [&] {
        const Traces now = traces(spawner.pid());
        const auto opened = [&](const char* kind) {
            const auto found = now.descriptors_of_helper.find(kind);
            return found == now.descriptors_of_helper.end() ? 0 : found->second;
        };
        return now.children == kSpares && opened("anon_inode:[pidfd]") == kSpares &&
               opened("socket") == kSpares + 1;
    };
    REQUIRE(jail::test::eventually(at_rest));
    const Traces before = traces(spawner.pid());

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
                const std::string told =
                    told_by(jail::supervise(spawner.launch(job(kind)), options));
                if (told == kind.told) ++as_expected;
            }
        });
    for (std::thread& thread : threads) thread.join();

    CHECK(as_expected == kRuns);
    jail::test::eventually([&] { return traces(spawner.pid()) == before; });
    const Traces after = traces(spawner.pid());
    CHECK(after.children == before.children);
    CHECK(after.mounts == before.mounts);
    CHECK(after.mounts_of_helper == before.mounts_of_helper);
    CHECK(after.descriptors == before.descriptors);
    CHECK(after.descriptors_of_helper == before.descriptors_of_helper);
    CHECK(after.groups == before.groups);
    CHECK(after.folders == before.folders);
}
