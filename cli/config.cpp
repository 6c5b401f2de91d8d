#include "cli/config.h"

#include "base/files.h"
#include "base/utf8.h"
#include "cli/console.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>

namespace oauth3::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kDefaultUrl = "http://127.0.0.1:3737";

std::optional<fs::path> config_path() {
    const auto folder = oauth3_folder();
    if (!folder) return std::nullopt;
    return *folder / "config.json";
}

}  // namespace

std::optional<std::string> environment(const char* name) {
    const char* const value = std::getenv(name);
    if (value == nullptr || *value == '\0') return std::nullopt;
    return value;
}

std::optional<fs::path> oauth3_folder() {
    const auto home = environment("HOME");
    if (!home || home->front() != '/') return std::nullopt;
    return fs::path(*home) / ".oauth3";
}

Config Config::load() {
    Config config;
    const auto path = config_path();
    if (!path) return config;
    const auto refuse = [&](const std::string& why) {
        throw base::Error("bad_config", fmt::format("{} cannot be used: {}", path->string(), why),
                          "Mend the file or move it away.");
    };
    try {
        config.json_ = base::parse_json(base::read_file(*path));
    } catch (const base::SystemError& error) {
        if (error.number() != ENOENT && error.number() != ENOTDIR) throw;
    } catch (const base::Error& error) {
        refuse(error.what());
    }
    if (!config.json_.is_object()) refuse("it holds no JSON object");
    return config;
}

std::optional<std::string> Config::text(const char* name) const {
    const auto found = json_.find(name);
    if (found == json_.end() || !found->is_string()) return std::nullopt;
    auto text = found->get<std::string>();
    if (text.empty()) return std::nullopt;
    return text;
}

base::Json Config::object(const char* name) const {
    const auto found = json_.find(name);
    return found != json_.end() && found->is_object() ? *found : base::Json::object();
}

void Config::save() const {
    const auto path = config_path();
    if (path) base::write_private_file(*path, json_.dump(2) + "\n");
}

ServerUrl server_url(const Arguments& arguments, Console& console, Whose whose) {
    std::string origin = "--url";
    std::optional<std::string> text = arguments.text("--url");
    if (!text) {
        origin = "$OAUTH3_URL";
        text = environment("OAUTH3_URL");
    }
    if (!text) {
        origin = "~/.oauth3/config.json";
        const Config config = Config::load();
        text = config.text("url");
        if (!text && whose == Whose::agent) text = config.text("enclave_url");
    }
    try {
        const ServerUrl url = parse_server_url(text ? *text : kDefaultUrl);
        if (url.plain_http && !url.loopback)
            console.warning(fmt::format(
                "{} is not encrypted: others on the network can read the key", url.text));
        return url;
    } catch (const std::invalid_argument& error) {
        throw UsageError(fmt::format("{}: {}, not '{}'.", origin, error.what(),
                                     base::make_visible(base::cut_utf8(*text, 100), false)));
    }
}

}  // namespace oauth3::cli
