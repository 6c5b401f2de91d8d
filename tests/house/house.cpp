#include "house/house.h"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string_view>

namespace oauth3::test {
namespace {

namespace fs = std::filesystem;
using Floors = std::map<std::string, int>;

constexpr std::string_view kClientHeader = "lib/client/include/oauth3/client.h";

struct Include {
    std::string target;
    bool angled = false;
};

struct Source {
    std::string name;  ///< relative to the root
    std::string text;
    std::vector<Include> includes;
};

std::string read(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    if (!in) throw std::runtime_error("cannot read " + path.string());
    return out.str();
}

std::vector<Include> includes_of(const std::string& text) {
    std::vector<Include> out;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        const auto skip = [&line](std::size_t at) {
            return std::min(line.find_first_not_of(" \t", at), line.size());
        };
        std::size_t at = skip(0);
        if (at >= line.size() || line[at] != '#') continue;
        at = skip(at + 1);
        if (line.compare(at, 7, "include") != 0) continue;
        at = skip(at + 7);
        if (at >= line.size() || (line[at] != '"' && line[at] != '<')) continue;
        const bool angled = line[at] == '<';
        const std::size_t end = line.find(angled ? '>' : '"', at + 1);
        if (end != std::string::npos) out.push_back({line.substr(at + 1, end - at - 1), angled});
    }
    return out;
}

std::vector<Source> sources_below(const fs::path& root, const std::string& folder) {
    static const std::set<std::string> kEndings{".h", ".hpp", ".cpp", ".c", ".cc", ".inc", ".ipp"};
    std::vector<Source> out;
    if (!fs::exists(root / folder)) return out;
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
        if (!entry.is_regular_file() || kEndings.count(entry.path().extension().string()) == 0)
            continue;
        std::string text = read(entry.path());
        auto includes = includes_of(text);
        out.push_back({fs::relative(entry.path(), root).generic_string(), std::move(text),
                       std::move(includes)});
    }
    return out;
}

Floors floors_of(const fs::path& root) {
    Floors out;
    std::istringstream lines(read(root / "lib/floors.txt"));
    for (std::string line; std::getline(lines, line);) {
        if (line.empty() || line.front() == '#') continue;
        std::istringstream words(line);
        std::string room;
        int floor = 0;
        words >> room >> floor;
        out[room] = floor;
    }
    return out;
}

/// "lib/store/x.cpp" stands in the room store, "cli/..." in cli.
std::string room_of(const std::string& name) {
    const std::string below = name.starts_with("lib/") ? name.substr(4) : name;
    return below.substr(0, below.find('/'));
}

/// The room that an include names, if it names one. The installed header of the client is included
/// as its users do.
std::optional<std::string> room_of_include(const std::string& target) {
    if (target.starts_with("oauth3/")) return "client";
    const std::size_t slash = target.find('/');
    if (slash == std::string::npos) return std::nullopt;
    return target.substr(0, slash);
}

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

class Checker {
  public:
    explicit Checker(const fs::path& root) : root_(root), floors_(floors_of(root)) {}

    std::vector<std::string> run() {
        std::vector<Source> all = sources_below(root_, "lib");
        for (Source& source : sources_below(root_, "cli")) all.push_back(std::move(source));
        if (all.empty()) broken_.push_back("there are no sources");
        for (const Source& source : all) {
            check_floors(source);
            check_libraries(source);
            check_words(source);
        }
        check_client_header();
        check_rooms_have_floors();
        check_top();
        std::sort(broken_.begin(), broken_.end());
        return std::move(broken_);
    }

  private:
    void check_floors(const Source& source) {
        const std::string room = room_of(source.name);
        const auto own = floors_.find(room);
        if (own == floors_.end()) {
            broken_.push_back(source.name + ": its room has no floor");
            return;
        }
        for (const Include& include : source.includes) {
            // A way around: angled, or up and down again.
            if (include.target.find("..") != std::string::npos ||
                include.target.starts_with("lib/") || include.target.starts_with('/')) {
                broken_.push_back(source.name + ": " + include.target +
                                  " is not written from lib/");
                continue;
            }
            const auto used = room_of_include(include.target);
            if (!used || *used == room) continue;
            const auto floor = floors_.find(*used);
            if (floor == floors_.end()) {
                if (!include.angled)
                    broken_.push_back(source.name + ": " + include.target + " is in no room");
            } else if (floor->second >= own->second) {
                broken_.push_back(source.name + ": " + include.target + " is not on a lower floor");
            }
        }
    }

    void check_libraries(const Source& source) {
        const std::string room = room_of(source.name);
        for (const Include& include : source.includes) {
            const std::string target = lower(include.target);
            const auto only = [&](bool named, std::string_view home) {
                if (named && room != home)
                    broken_.push_back(source.name + ": " + include.target + " belongs to lib/" +
                                      std::string(home));
            };
            only(target.starts_with("sqlite"), "store");
            only(target.starts_with("boost/"), "http");
            only(target.starts_with("curl/"), "client");
        }
        // Nobody outside of lib/http may get Boost with one of its headers.
        if (room == "http") return;
        for (const Include& include : source.includes)
            if (include.target.starts_with("http/") && reaches_boost(include.target, {}))
                broken_.push_back(source.name + ": " + include.target + " brings Boost along");
    }

    bool reaches_boost(const std::string& header, std::set<std::string> seen) {
        if (!seen.insert(header).second || !fs::exists(root_ / "lib" / header)) return false;
        for (const Include& include : includes_of(read(root_ / "lib" / header))) {
            if (include.target.starts_with("boost/")) return true;
            if (include.target.starts_with("http/") && reaches_boost(include.target, seen))
                return true;
        }
        return false;
    }

    void check_words(const Source& source) {
        if (room_of(source.name) != "jail") return;
        const std::string text = lower(source.text);
        for (const char* word : {"skill", "secret", "approval"})
            if (text.find(word) != std::string::npos)
                broken_.push_back(source.name + ": says \"" + word + "\"");
    }

    void check_client_header() {
        for (const Source& source : sources_below(root_, "lib/client/include")) {
            if (source.name != kClientHeader)
                broken_.push_back(source.name + ": only client.h is installed");
            for (const Include& include : source.includes)
                if (!include.angled || include.target.find_first_of("./") != std::string::npos)
                    broken_.push_back(source.name + ": " + include.target +
                                      " is not a standard header");
        }
    }

    void check_rooms_have_floors() {
        for (const auto& entry : fs::directory_iterator(root_ / "lib"))
            if (entry.is_directory() && floors_.count(entry.path().filename().string()) == 0)
                broken_.push_back("lib/" + entry.path().filename().string() + " has no floor");
    }

    void check_top() {
        const std::set<std::string> must{
            "CMakeLists.txt", "CMakePresets.json", "cli",    "lib", "tests", "share", "man",
            "scripts",        "README.md",         "LICENSE"};
        std::set<std::string> have;
        for (const auto& entry : fs::directory_iterator(root_)) {
            const std::string name = entry.path().filename().string();
            if (!name.starts_with('.') && name != "build") have.insert(name);
        }
        for (const std::string& name : must)
            if (have.count(name) == 0) broken_.push_back(name + " is missing at the top");
        for (const std::string& name : have)
            if (must.count(name) == 0) broken_.push_back(name + " does not belong at the top");
    }

    const fs::path& root_;
    Floors floors_;
    std::vector<std::string> broken_;
};

}  // namespace

std::vector<std::string> broken_rules(const fs::path& root) {
    return Checker(root).run();
}

}  // namespace oauth3::test
