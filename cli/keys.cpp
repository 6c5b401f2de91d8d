#include "cli/keys.h"

#include "base/fd.h"
#include "base/files.h"
#include "base/json.h"
#include "cli/config.h"
#include "cli/console.h"
#include "cli/interrupt.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

namespace oauth3::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxKeyFile = 4096;

base::Error no_key(const std::string& message, std::string hint = {}) {
    return {"authentication", message, std::move(hint)};
}

/// The key in the text of a file or variable; nullopt for what counts as absent.
std::optional<std::string> key_in(std::string text) {
    constexpr std::string_view kBlank = " \t\r\n";
    const std::size_t first = text.find_first_not_of(kBlank);
    if (first == std::string::npos) return std::nullopt;
    text = text.substr(first, text.find_last_not_of(kBlank) - first + 1);
    if (text == "undefined") return std::nullopt;
    const bool fits =
        std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
    if (!fits)
        throw no_key("What should be a key holds characters that no oauth3 key can hold.",
                     "A key file has one line.");
    return text;
}

void warn_if_readable_by_others(const fs::path& path, Console& console) {
    struct stat info {};
    if (::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) && (info.st_mode & 077) != 0)
        console.warning(fmt::format("other users can read the key in {}: chmod 600 {}",
                                    path.string(), path.string()));
}

/// The key in a file that was named on the command line.
std::string key_in_named_file(const std::string& path, std::string_view option, Console& console) {
    std::string text;
    try {
        text = base::read_file(path, kMaxKeyFile);
    } catch (const base::Error& error) {
        throw UsageError(fmt::format("{}: {}.", option, error.what()));
    }
    warn_if_readable_by_others(path, console);
    const auto key = key_in(std::move(text));
    if (!key) throw no_key(fmt::format("{} {} holds no key.", option, path));
    return *key;
}

/// The key and the configuration as they stand together in ~/.oauth3, locked against other
/// processes of this program while it lives. Never held during a network call.
class KeyStore {
  public:
    explicit KeyStore(fs::path folder) : folder_(std::move(folder)) {
        lock_.reset(::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        while (lock_ && ::flock(lock_.get(), LOCK_EX) != 0)
            if (errno != EINTR) base::throw_errno("cannot lock " + folder_.string());
        config_ = Config::load();
    }

    fs::path path() const { return folder_ / "key"; }

    std::optional<std::string> key() const {
        try {
            return key_in(base::read_file(path(), kMaxKeyFile));
        } catch (const base::SystemError& error) {
            if (error.number() == ENOENT || error.number() == ENOTDIR) return std::nullopt;
            throw;
        }
    }

    /// The stored key may go to `url` only; one that was never used belongs to `url` from now on.
    void bind(const ServerUrl& url) {
        const auto bound = config_.text("key_url");
        if (!bound) {
            config_.set("key_url", url.text);
            config_.save();
        } else if (!same_server(*bound, url)) {
            throw no_key(fmt::format("The key in {} belongs to {} and is not sent to {}.",
                                     path().string(), *bound, url.text),
                         fmt::format("Name the key for {} with --key-file.", url.text));
        }
    }

    std::optional<std::string> config_key(const ServerUrl& url) const {
        const auto server = config_.text("enclave_url");
        const auto key = config_.text("jwt");
        if (!server || !key || !same_server(*server, url)) return std::nullopt;
        return key_in(*key);
    }

    void store(const std::string& key, const ServerUrl& url) {
        // The binding first: a key without one would belong to whichever server is used next.
        config_.set("key_url", url.text);
        config_.save();
        if (!base::create_private_file(path(), key + "\n"))
            base::write_private_file(path(), key + "\n");
    }

  private:
    static bool same_server(const std::string& text, const ServerUrl& url) {
        try {
            return parse_server_url(text).text == url.text;
        } catch (const std::invalid_argument&) {
            return false;
        }
    }

    fs::path folder_;
    base::Fd lock_;
    Config config_;
};

Client::Options client_options(const ServerUrl& url, Context& context) {
    Client::Options options;
    options.url = url.text;
    options.timeout = kShortCall;
    options.interrupt_fd = interrupt_fd();
    Console& console = context.console;
    options.progress = [&console, last = std::string()](const Progress& progress) mutable {
        if (progress.kind == Progress::Kind::status) {
            last.clear();
            console.note(fmt::format("oauth3: {}", progress.text));
        } else if (progress.text != last) {
            // One line per trouble, however often it is tried.
            last = progress.text;
            console.note(fmt::format("oauth3: {}; trying again", progress.text));
        }
    };
    return options;
}

}  // namespace

std::optional<std::string> find_agent_key(const Arguments& arguments, const ServerUrl& url,
                                          Console& console) {
    if (const auto file = arguments.text("--key-file"))
        return key_in_named_file(*file, "--key-file", console);
    if (const auto key = arguments.text("--key")) {
        console.warning("--key shows the key to everyone who can list processes; use --key-file");
        if (const auto found = key_in(*key)) return found;
        throw no_key("--key holds no key.");
    }
    if (const auto text = environment("OAUTH3_API_KEY"))
        if (const auto key = key_in(*text)) return key;

    const auto folder = oauth3_folder();
    if (!folder) return std::nullopt;
    KeyStore store(*folder);
    if (const auto key = store.key()) {
        warn_if_readable_by_others(store.path(), console);
        store.bind(url);
        return key;
    }
    return store.config_key(url);
}

std::string store_agent_key(const std::string& key, const ServerUrl& url) {
    const auto folder = oauth3_folder();
    if (!folder)
        throw no_key("There is no place to keep a key: HOME is not set.",
                     "Set HOME, or name a key with --key-file.");
    base::make_private_folder(*folder);
    KeyStore store(*folder);
    if (const auto faster = store.key()) {
        store.bind(url);
        return *faster;
    }
    store.store(key, url);
    return key;
}

std::string owner_key(const Arguments& arguments, Console& console) {
    if (const auto file = arguments.text("--owner-key-file"))
        return key_in_named_file(*file, "--owner-key-file", console);
    if (const auto text = environment("OAUTH3_OWNER_KEY"))
        if (const auto key = key_in(*text)) return *key;
    throw no_key("This needs the owner's key.",
                 "Name its file with --owner-key-file, or set OAUTH3_OWNER_KEY.");
}

Client connect_agent(const Arguments& arguments, Context& context,
                     std::chrono::steady_clock::time_point deadline) {
    const ServerUrl url = server_url(arguments, context.console);
    const auto key = find_agent_key(arguments, url, context.console);
    Client client(client_options(url, context));
    client.set_deadline(deadline);
    if (key) {
        client.set_agent_key(*key);
        return client;
    }
    const auto folder = oauth3_folder();
    if (!folder)
        throw no_key("There is no key, and no place to keep a new one: HOME is not set.",
                     "Set HOME, or name a key with --key-file.");
    // Before the server makes a key that would be shown once and could not be kept.
    base::make_private_folder(*folder);
    context.console.note(fmt::format("oauth3: no key yet: signing up at {}", url.text));
    const Reply reply = client.signup("agent");
    const auto fresh = base::parse_json(reply.json).at("api_key").get<std::string>();
    client.set_agent_key(store_agent_key(fresh, url));
    return client;
}

Client connect_without_key(const ServerUrl& url, Context& context) {
    return Client(client_options(url, context));
}

Client connect_owner(const Arguments& arguments, Context& context) {
    const ServerUrl url = server_url(arguments, context.console);
    Client::Options options = client_options(url, context);
    options.owner_key = owner_key(arguments, context.console);
    return Client(std::move(options));
}

}  // namespace oauth3::cli
