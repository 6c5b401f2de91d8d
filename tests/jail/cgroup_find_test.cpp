// Where this process is in each hierarchy, from the kernel's texts.
#include "jail/cgroup_find.h"

#include "base/files.h"
#include "support/catch.h"

#include <rapidcheck.h>
#include <unistd.h>

using namespace oauth3;
using namespace oauth3::jail::cgroups;

namespace {

/// As on a host with both versions: the controllers are version 1, the unified tree has none.
constexpr const char* kHybridGroups =
    "4:memory:/user.slice/own\n"
    "3:name=systemd:/user.slice/own\n"
    "2:cpu,cpuacct:/\n"
    "1:pids:/user.slice/own\n"
    "0::/user.slice/own\n";
constexpr const char* kHybridMounts =
    "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
    "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"
    "35 31 0:32 / /sys/fs/cgroup/memory rw shared:7 master:2 - cgroup cgroup rw,memory\n"
    "39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids\n"
    "40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n"
    "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";

Tree by_name(const std::string& folder) {
    return folder.find("unified") != std::string::npos ? Tree::v2 : Tree::v1;
}

std::string folders(const std::vector<Place>& places) {
    std::string out;
    for (const auto& place : places) out += (place.unified ? "2 " : "1 ") + place.folder + "\n";
    return out;
}

}  // namespace

TEST_CASE("a hybrid host has its controllers in version 1 trees") {
    const auto places = find_places(kHybridGroups, kHybridMounts, by_name);
    CHECK(folders(places) ==
          "1 /sys/fs/cgroup/memory/user.slice/own\n"
          "1 /sys/fs/cgroup/systemd/user.slice/own\n"
          "1 /sys/fs/cgroup/cpu,cpuacct\n"
          "1 /sys/fs/cgroup/pids/user.slice/own\n"
          "2 /sys/fs/cgroup/unified/user.slice/own\n");
    REQUIRE(places.size() == 5);
    CHECK(places[2].controllers == std::vector<std::string>{"cpu", "cpuacct"});
}

TEST_CASE("a host of version 2 alone has one tree, at the place where others have a tmpfs") {
    constexpr const char* kMounts =
        "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n";
    const auto tree = [](const std::string&) { return Tree::v2; };
    CHECK(folders(find_places("0::/app.slice/a.scope\n", kMounts, tree)) ==
          "2 /sys/fs/cgroup/app.slice/a.scope\n");
    CHECK(folders(find_places("0::/\n", kMounts, tree)) == "2 /sys/fs/cgroup\n");
}

TEST_CASE("the file system decides, and not what the path or the table says") {
    const auto none = [](const std::string&) { return Tree::other; };
    CHECK(find_places(kHybridGroups, kHybridMounts, none).empty());
    const auto all_two = [](const std::string&) { return Tree::v2; };
    CHECK(folders(find_places(kHybridGroups, kHybridMounts, all_two)) ==
          "2 /sys/fs/cgroup/unified/user.slice/own\n");
    // Something lies on top of the first mount, and the second one can be used.
    const std::string twice =
        std::string(kHybridMounts) + "50 31 0:32 / /mnt/memory rw - cgroup cgroup rw,memory\n";
    const auto covered = [](const std::string& folder) {
        return folder.starts_with("/sys") ? Tree::other : Tree::v1;
    };
    CHECK(folders(find_places(kHybridGroups, twice, covered)) == "1 /mnt/memory/user.slice/own\n");
    CHECK(tree_at("/") == Tree::other);
    CHECK(tree_at("/no/such/folder") == Tree::other);
    // Where a tmpfs holds the trees, the folder of the trees is none itself.
    if (tree_at("/sys/fs/cgroup/unified") == Tree::v2)
        CHECK(tree_at("/sys/fs/cgroup") == Tree::other);
}

TEST_CASE("what a mount shows need not begin at the hierarchy's root") {
    const auto place = [](const std::string& path, const std::string& root) {
        const Membership membership{true, {}, path};
        return folder_of(membership, Mounted{true, {}, root, "/cg"}).value_or("none");
    };
    CHECK(place("/", "/") == "/cg");
    CHECK(place("/a/b", "/") == "/cg/a/b");
    CHECK(place("/docker/1/a", "/docker/1") == "/cg/a");
    CHECK(place("/docker/1", "/docker/1") == "/cg");
    CHECK(place("/docker/12", "/docker/1") == "none");
    CHECK(place("/other", "/docker/1") == "none");
    CHECK(place("/", "/docker/1") == "none");
    CHECK(place("/../..", "/") == "none");
    CHECK(place("/../sibling", "/") == "none");
    CHECK_FALSE(folder_of({false, {"memory"}, "/"}, {true, {}, "/", "/cg"}));
    CHECK_FALSE(folder_of({false, {"memory"}, "/"}, {false, {"pids"}, "/", "/cg"}));
    CHECK(folder_of({false, {"cpu", "cpuacct"}, "/"}, {false, {"cpuacct"}, "/", "/cg"}));
}

TEST_CASE("names with blanks, colons and backslashes are read as they are") {
    CHECK(unescape("/a\\040b\\011c\\012d\\134040") == "/a b\tc\nd\\040");
    CHECK(unescape("\\04") == "\\04");
    CHECK(unescape("\\") == "\\");
    CHECK(unescape("\\999\\400\\377") == "\\999\\400\xff");
    const auto groups = parse_memberships("7:memory:/a b:c\n0::/x:y\n");
    REQUIRE(groups.size() == 2);
    CHECK(groups[0].path == "/a b:c");
    CHECK(groups[1].path == "/x:y");
    CHECK(groups[1].unified);
    const auto mounts =
        parse_mounts("1 2 0:3 /the\\040root /a\\040b rw - cgroup cgroup rw,memory\n");
    REQUIRE(mounts.size() == 1);
    CHECK(mounts[0].root == "/the root");
    CHECK(mounts[0].point == "/a b");
}

TEST_CASE("lines that make no sense are left out") {
    CHECK(parse_memberships("").empty());
    CHECK(parse_memberships("\n\nx\n1:memory\n1:memory:relative\n5::/named-nothing\n").empty());
    CHECK(parse_mounts("").empty());
    CHECK(parse_mounts("1 2 0:3 / /cg rw - cgroup2\n1 2 0:3 / /cg rw cgroup2 x rw\n"
                       "1 2 - cgroup2 x rw\n1 2 0:3 / relative rw - cgroup2 x rw\n")
              .empty());
}

TEST_CASE("garbage is never more than ignored") {
    CHECK(rc::check([](const std::string& groups, const std::string& mounts) {
        find_places(groups, mounts, by_name);
        RC_ASSERT(unescape(groups).size() <= groups.size());
    }));
    CHECK(rc::check([] {
        std::string groups = kHybridGroups;
        std::string mounts = kHybridMounts;
        for (std::string* text : {&groups, &mounts}) {
            text->resize(*rc::gen::inRange<std::size_t>(0, text->size() + 1));
            const auto changes = *rc::gen::container<std::vector<std::pair<std::size_t, char>>>(
                rc::gen::pair(rc::gen::inRange<std::size_t>(0, 400), rc::gen::arbitrary<char>()));
            for (const auto& [at, byte] : changes)
                if (at < text->size()) (*text)[at] = byte;
        }
        for (const auto& place : find_places(groups, mounts, by_name)) {
            RC_ASSERT(place.folder.starts_with('/'));
        }
    }));
    CHECK(rc::check([](const std::string& name) {
        std::string escaped;
        for (const char c : name) {
            const auto byte = static_cast<unsigned char>(c);
            if (std::string_view(" \t\n\\").find(c) == std::string_view::npos) {
                escaped += c;
                continue;
            }
            escaped += '\\';
            for (const int shift : {6, 3, 0})
                escaped += static_cast<char>('0' + ((byte >> shift) & 7));
        }
        RC_ASSERT(unescape(escaped) == name);
    }));
}

TEST_CASE("this very process is where the kernel says") {
    const auto places = find_places(base::read_file("/proc/self/cgroup"),
                                    base::read_file("/proc/self/mountinfo"), tree_at);
    for (const auto& place : places) {
        INFO(place.folder);
        CHECK(tree_at(place.folder) == (place.unified ? Tree::v2 : Tree::v1));
        const std::string procs = "\n" + base::read_file(place.folder + "/cgroup.procs");
        CHECK(procs.find("\n" + std::to_string(::getpid()) + "\n") != std::string::npos);
    }
}
