#include "jail/cgroup_find.h"

#include <linux/magic.h>
#include <sys/vfs.h>

#include <algorithm>

namespace oauth3::jail::cgroups {
namespace {

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    while (!text.empty()) {
        const std::size_t end = text.find(separator);
        parts.push_back(text.substr(0, end));
        if (end == std::string_view::npos) break;
        text.remove_prefix(end + 1);
    }
    return parts;
}

bool contains(const std::vector<std::string>& all, std::string_view wanted) {
    return std::find(all.begin(), all.end(), wanted) != all.end();
}

/// Version 1 hierarchies are told apart by any controller or name that they have in common.
bool same_hierarchy(const Membership& membership, const Mounted& mounted) {
    if (membership.unified || mounted.unified) return membership.unified == mounted.unified;
    return std::any_of(membership.controllers.begin(), membership.controllers.end(),
                       [&](const auto& name) { return contains(mounted.controllers, name); });
}

std::optional<Mounted> parse_mount(std::string_view line) {
    // 36 35 98:0 /root /point options [optional fields] - type source super-options
    const auto fields = split(line, ' ');
    const auto dash = std::find(fields.begin(), fields.end(), "-");
    if (dash - fields.begin() < 6 || fields.end() - dash < 4) return std::nullopt;
    Mounted mounted;
    mounted.root = unescape(fields[3]);
    mounted.point = unescape(fields[4]);
    if (!mounted.root.starts_with('/') || !mounted.point.starts_with('/')) return std::nullopt;
    const std::string_view type = dash[1];
    if (type != "cgroup" && type != "cgroup2") return std::nullopt;
    mounted.unified = type == "cgroup2";
    if (!mounted.unified)
        for (const auto option : split(dash[3], ','))
            if (option != "rw" && option != "ro") mounted.controllers.emplace_back(option);
    return mounted;
}

}  // namespace

Tree tree_at(const std::string& folder) {
    struct statfs about {};
    if (::statfs(folder.c_str(), &about) != 0) return Tree::other;
    if (about.f_type == CGROUP2_SUPER_MAGIC) return Tree::v2;
    return about.f_type == CGROUP_SUPER_MAGIC ? Tree::v1 : Tree::other;
}

std::vector<Membership> parse_memberships(std::string_view text) {
    std::vector<Membership> all;
    for (const auto line : split(text, '\n')) {
        // id:controllers:path, and the path may hold colons
        const std::size_t first = line.find(':');
        if (first == std::string_view::npos) continue;
        const std::size_t second = line.find(':', first + 1);
        if (second == std::string_view::npos) continue;
        Membership membership;
        membership.path = line.substr(second + 1);
        if (!membership.path.starts_with('/')) continue;
        for (const auto name : split(line.substr(first + 1, second - first - 1), ','))
            if (!name.empty()) membership.controllers.emplace_back(name);
        membership.unified = line.substr(0, first) == "0" && membership.controllers.empty();
        if (membership.unified || !membership.controllers.empty())
            all.push_back(std::move(membership));
    }
    return all;
}

std::vector<Mounted> parse_mounts(std::string_view mountinfo) {
    std::vector<Mounted> all;
    for (const auto line : split(mountinfo, '\n'))
        if (auto mounted = parse_mount(line)) all.push_back(std::move(*mounted));
    return all;
}

std::string unescape(std::string_view text) {
    std::string out;
    const auto octal = [](char c) { return c >= '0' && c <= '7'; };
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && i + 3 < text.size() && text[i + 1] <= '3' && octal(text[i + 1]) &&
            octal(text[i + 2]) && octal(text[i + 3])) {
            out += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
                                     (text[i + 3] - '0'));
            i += 3;
        } else {
            out += text[i];
        }
    }
    return out;
}

std::optional<std::string> folder_of(const Membership& membership, const Mounted& mounted) {
    if (!same_hierarchy(membership, mounted)) return std::nullopt;
    std::string_view below = membership.path;
    // A group outside this process's cgroup namespace shows as "/..", and is mounted nowhere here.
    for (const auto part : split(below, '/'))
        if (part == "..") return std::nullopt;
    if (mounted.root != "/") {
        if (!below.starts_with(mounted.root)) return std::nullopt;
        below.remove_prefix(mounted.root.size());
        if (!below.empty() && below.front() != '/') return std::nullopt;
    }
    if (below == "/") below = {};
    return mounted.point + std::string(below);
}

std::vector<Place> find_places(std::string_view memberships, std::string_view mountinfo,
                               const std::function<Tree(const std::string&)>& tree) {
    std::vector<Place> places;
    const std::vector<Mounted> mounts = parse_mounts(mountinfo);
    for (const Membership& membership : parse_memberships(memberships))
        for (const Mounted& mounted : mounts) {
            const auto folder = folder_of(membership, mounted);
            if (!folder) continue;
            if (tree(*folder) != (mounted.unified ? Tree::v2 : Tree::v1)) continue;
            places.push_back({mounted.unified, membership.controllers, *folder});
            break;
        }
    return places;
}

}  // namespace oauth3::jail::cgroups
