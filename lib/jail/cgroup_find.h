#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace oauth3::jail::cgroups {

/// A line of /proc/self/cgroup (cgroups(7)): where this process is in one hierarchy.
struct Membership {
    bool unified = false;  ///< the version 2 hierarchy, which has no controllers here
    std::vector<std::string> controllers;
    std::string path;
};

/// A mounted hierarchy, from /proc/self/mountinfo (proc(5)).
struct Mounted {
    bool unified = false;
    std::vector<std::string> controllers;  ///< version 1 only
    std::string root;                      ///< the group that shows at `point`
    std::string point;
};

/// What a folder is on, by its file system and not by its path.
enum class Tree { v1, v2, other };
Tree tree_at(const std::string& folder);

/// The group of this process in one hierarchy.
struct Place {
    bool unified = false;
    std::vector<std::string> controllers;  ///< version 1 only
    std::string folder;
};

/// These take any text; lines that make no sense are left out.
std::vector<Membership> parse_memberships(std::string_view text);
std::vector<Mounted> parse_mounts(std::string_view mountinfo);

/// "\040" and the like (octal, three digits) become the bytes that they stand for.
std::string unescape(std::string_view text);

/// The folder of `membership` in `mounted`, or nothing if they are of different hierarchies or the
/// group lies outside of what is mounted there.
std::optional<std::string> folder_of(const Membership& membership, const Mounted& mounted);

/// Puts both texts together. A folder counts only if `tree` says that it is on a file system of the
/// right version: on some hosts, /sys/fs/cgroup is a tmpfs, or something else is mounted on top.
std::vector<Place> find_places(std::string_view memberships, std::string_view mountinfo,
                               const std::function<Tree(const std::string&)>& tree);

}  // namespace oauth3::jail::cgroups
