#include "jail/cgroup_scene.h"

#include "base/files.h"
#include "jail/cgroup_files.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>

namespace oauth3::jail::test {
namespace fs = std::filesystem;
using cgroups::Place;

std::vector<Place> places_of(const std::string& pid) {
    return cgroups::find_places(base::read_file("/proc/" + pid + "/cgroup"),
                                base::read_file("/proc/self/mountinfo"), cgroups::tree_at);
}

std::vector<Place> own_places() {
    std::vector<Place> places = places_of("self");
    std::erase_if(places, [](const Place& place) {
        return ::access((place.folder + "/cgroup.procs").c_str(), W_OK) != 0;
    });
    return places;
}

std::optional<Place> own_place(const std::string& controller) {
    for (const Place& place : own_places())
        if (controller == "unified"
                ? place.unified
                : std::count(place.controllers.begin(), place.controllers.end(), controller) > 0)
            return place;
    return std::nullopt;
}

std::vector<std::string> groups_of(pid_t helper) {
    std::vector<std::string> found;
    const std::string part = "-" + std::to_string(helper) + "-";
    for (const Place& place : own_places())
        for (const auto& entry : fs::directory_iterator(place.folder))
            if (const std::string name = entry.path().filename();
                name.starts_with("oauth3-") && name.find(part) != std::string::npos)
                found.push_back(entry.path());
    return found;
}

}  // namespace oauth3::jail::test
