#include "cli/key_store.h"

#include "base/crypto.h"
#include "base/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>

namespace oauth3::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxKeyFile = 4096;

bool same_server(std::string_view text, const ServerUrl& url) {
    try {
        return parse_server_url(text).text == url.text;
    } catch (const std::invalid_argument&) {
        return false;
    }
}

}  // namespace

std::optional<std::string> key_in(std::string text) {
    constexpr std::string_view kBlank = " \t\r\n";
    const std::size_t first = text.find_first_not_of(kBlank);
    if (first == std::string::npos) return std::nullopt;
    text = text.substr(first, text.find_last_not_of(kBlank) - first + 1);
    if (text == "undefined") return std::nullopt;
    const bool fits =
        std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
    if (!fits)
        throw base::Error("authentication",
                          "What should be a key holds characters that no oauth3 key can hold.",
                          "A key file has one line.");
    return text;
}

std::optional<std::string> key_in_file(const fs::path& path) {
    try {
        return key_in(base::read_file(path, kMaxKeyFile));
    } catch (const base::SystemError& error) {
        if (error.number() == ENOENT || error.number() == ENOTDIR) return std::nullopt;
        throw;
    }
}

KeyStore::KeyStore(fs::path folder) : folder_(std::move(folder)) {
    lock_.reset(::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    while (lock_ && ::flock(lock_.get(), LOCK_EX) != 0)
        if (errno != EINTR) base::throw_errno("cannot lock " + folder_.string());
    config_ = Config::load();
}

bool KeyStore::is_bound_here(const ServerUrl& url) const {
    const auto bound = config_.text("key_url");
    return bound && same_server(*bound, url);
}

std::optional<fs::path> KeyStore::profile_file(const ServerUrl& url) const {
    const base::Json profiles = config_.object("profiles");
    for (const auto& [server, profile] : profiles.items()) {
        if (!same_server(server, url) || !profile.is_object()) continue;
        const auto file = profile.find("key_file");
        if (file == profile.end() || !file->is_string()) continue;
        const auto& text = file->get_ref<const std::string&>();
        // An absolute path replaces the folder.
        if (!text.empty()) return folder_ / text;
    }
    return std::nullopt;
}

std::optional<std::string> KeyStore::find_here(const ServerUrl& url, fs::path& path, bool binds) {
    const auto in_file = [&path](const fs::path& file) {
        auto key = key_in_file(file);
        if (key) path = file;
        return key;
    };
    if (is_bound_here(url))
        if (auto key = in_file(main_file())) return key;
    if (const auto file = profile_file(url))
        if (auto key = in_file(*file)) return key;
    if (binds && !config_.text("key_url")) {
        if (auto key = in_file(main_file())) {
            config_.set("key_url", url.text);
            save_binding();
            return key;
        }
    }
    const auto server = config_.text("enclave_url");
    const auto key = config_.text("jwt");
    if (!server || !key || !same_server(*server, url)) return std::nullopt;
    return key_in(*key);
}

std::optional<std::string> KeyStore::other_keys(const ServerUrl& url) const {
    if (const auto bound = config_.text("key_url"); bound && key_in_file(main_file()))
        return fmt::format("The key in {} belongs to {} and is not sent to {}.",
                           main_file().string(), *bound, url.text);
    if (!config_.object("profiles").empty())
        return fmt::format("There are keys for other servers, and none for {}.", url.text);
    return std::nullopt;
}

std::optional<std::string> KeyStore::find(const ServerUrl& url, fs::path& path) {
    if (auto key = find_here(url, path, true)) return key;
    // A program that is told another URL must not make itself known there by itself.
    if (const auto sentence = other_keys(url))
        throw base::Error(
            "authentication", *sentence,
            fmt::format(
                "Name the key for {0} with --key-file, or make one: oauth3 signup --url {0}",
                url.text));
    return std::nullopt;
}

std::optional<std::string> KeyStore::find_own(const ServerUrl& url) {
    fs::path ignored;
    return find_here(url, ignored, false);
}

void KeyStore::save_binding() {
    try {
        config_.save();
    } catch (const base::SystemError& error) {
        trouble_ = error.what();
    }
}

void KeyStore::bind_owner(std::string_view key, const ServerUrl& url, bool adds) {
    base::Json all = config_.object("owner_urls");
    base::Json& urls = all[base::sha256_hex(key).substr(0, 16)];
    if (!urls.is_array()) urls = base::Json::array();
    for (const base::Json& known : urls)
        if (known.is_string() && same_server(known.get_ref<const std::string&>(), url)) return;
    if (!urls.empty() && !adds)
        throw base::Error(
            "authentication",
            fmt::format("The owner's key was not used at {} before and is not sent there.",
                        url.text),
            fmt::format("If that is your server, name it on the command line: --url {}", url.text));
    urls.push_back(url.text);
    config_.set("owner_urls", std::move(all));
    save_binding();
}

void KeyStore::add(const std::string& key, const ServerUrl& url) {
    const auto put = [&key](const fs::path& path) {
        if (!base::create_private_file(path, key + "\n"))
            base::write_private_file(path, key + "\n");
    };
    // The binding first: a key without one would belong to whichever server is used next.
    if (!key_in_file(main_file())) {
        config_.set("key_url", url.text);
        config_.save();
        put(main_file());
        return;
    }
    const std::string name = "keys/" + base::sha256_hex(url.text).substr(0, 16);
    base::make_private_folder(folder_ / "keys");
    base::Json profiles = config_.object("profiles");
    // What else a human wrote there stays, under whatever spelling of the URL.
    std::string spelling = url.text;
    for (const auto& [server, profile] : profiles.items())
        if (same_server(server, url)) spelling = server;
    if (!profiles[spelling].is_object()) profiles[spelling] = base::Json::object();
    profiles[spelling]["key_file"] = name;
    config_.set("profiles", std::move(profiles));
    put(folder_ / name);
    config_.save();
}

}  // namespace oauth3::cli
