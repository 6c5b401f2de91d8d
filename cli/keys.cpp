#include "cli/keys.h"

#include "base/crypto.h"
#include "base/files.h"
#include "base/json.h"
#include "cli/config.h"
#include "cli/console.h"
#include "cli/interrupt.h"
#include "cli/key_store.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <filesystem>

namespace oauth3::cli {
namespace {

namespace fs = std::filesystem;

base::Error no_key(const std::string& message, std::string hint = {}) {
    return {"authentication", message, std::move(hint)};
}

/// The folder in which keys are kept; made if it is missing.
fs::path folder_for_keys(std::string_view sentence) {
    const auto folder = oauth3_folder();
    if (!folder)
        throw no_key(fmt::format("{}: HOME is not set.", sentence),
                     "Set HOME, or name a key with --key-file.");
    base::make_private_folder(*folder);
    return *folder;
}

/// Where a new key could be kept. Throws unless it can: the server shows a key once.
void check_place_for_key() {
    constexpr std::string_view kSentence = "There is no key, and no place to keep a new one";
    try {
        const fs::path probe = folder_for_keys(kSentence) /
                               fmt::format(".probe-{}", base::to_hex(base::random_bytes(4)));
        base::create_private_file(probe, {});
        std::error_code ignored;
        fs::remove(probe, ignored);
    } catch (const base::SystemError& error) {
        throw no_key(fmt::format("{}: {}.", kSentence, error.what()),
                     "Name a key with --key-file, or set OAUTH3_API_KEY.");
    }
}

void warn_of_trouble(const KeyStore& store, const ServerUrl& url, Console& console) {
    if (!store.trouble().empty())
        console.warning(fmt::format("the key is not bound to {}: {}", url.text, store.trouble()));
}

/// Sees to it that the owner's key, which decides everything, does not go to whatever server a
/// configuration or variable names.
void check_owner_url(const std::string& key, const ServerUrl& url, const Arguments& arguments,
                     Console& console) {
    const auto folder = oauth3_folder();
    if (!folder) return;
    try {
        base::make_private_folder(*folder);
    } catch (const base::SystemError&) {
        // That nothing can be written there is said below.
    }
    KeyStore store(*folder);
    store.bind_owner(key, url, arguments.has("--url"));
    warn_of_trouble(store, url, console);
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
        text = base::read_file(path, 4096);
    } catch (const base::Error& error) {
        throw UsageError(fmt::format("{}: {}.", option, error.what()));
    }
    warn_if_readable_by_others(path, console);
    const auto key = key_in(std::move(text));
    if (!key) throw no_key(fmt::format("{} {} holds no key.", option, path));
    return *key;
}

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
    fs::path path;
    KeyStore store(*folder);
    auto key = store.find(url, path);
    warn_of_trouble(store, url, console);
    if (!path.empty()) warn_if_readable_by_others(path, console);
    return key;
}

std::string keep_first_key(const std::string& key, const ServerUrl& url) {
    KeyStore store(folder_for_keys("There is no place to keep a key"));
    fs::path ignored;
    if (const auto faster = store.find(url, ignored)) return *faster;
    store.add(key, url);
    return key;
}

std::string keep_key(const std::string& key, const ServerUrl& url) {
    KeyStore store(folder_for_keys("There is no place to keep a key"));
    if (const auto present = store.find_own(url)) return *present;
    store.add(key, url);
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
    Client::Options options = client_options(url, context);
    // Who asks for an answer at once is told at once that the server is full.
    options.waits_for_room = !arguments.has("--no-wait") && !arguments.has("--bg");
    Client client(std::move(options));
    client.set_deadline(deadline);
    if (key) {
        client.set_agent_key(*key);
        return client;
    }
    check_place_for_key();
    context.console.note(fmt::format("oauth3: no key yet: signing up at {}", url.text));
    const Reply reply = client.signup("agent");
    const auto fresh = base::parse_json(reply.json).at("api_key").get<std::string>();
    client.set_agent_key(fresh);
    try {
        client.set_agent_key(keep_first_key(fresh, url));
    } catch (const base::Error& error) {
        if (error.code() == "authentication") throw;
        context.console.warning(
            fmt::format("the new key serves only now, for it was not stored: {}", error.what()));
    }
    return client;
}

Client connect_without_key(const ServerUrl& url, Context& context) {
    return Client(client_options(url, context));
}

Client connect_owner(const Arguments& arguments, Context& context) {
    const ServerUrl url = server_url(arguments, context.console, Whose::owner);
    Client::Options options = client_options(url, context);
    options.owner_key = owner_key(arguments, context.console);
    check_owner_url(options.owner_key, url, arguments, context.console);
    return Client(std::move(options));
}

Client connect_either(const Arguments& arguments, Context& context, Caller& caller) {
    const bool names_agent = arguments.has("--key-file") || arguments.has("--key");
    const bool names_owner = arguments.has("--owner-key-file");
    if (names_agent && names_owner)
        throw UsageError("Name the owner's key or the agent's, not both.");
    if (names_owner || (!names_agent && environment("OAUTH3_OWNER_KEY"))) {
        caller = as_owner(arguments.text_or("--tenant", ""));
        return connect_owner(arguments, context);
    }
    if (arguments.has("--tenant"))
        throw UsageError("--tenant is for the owner: an agent has only its own rows.",
                         "Name the owner's key with --owner-key-file.");
    const ServerUrl url = server_url(arguments, context.console);
    Client::Options options = client_options(url, context);
    const auto key = find_agent_key(arguments, url, context.console);
    if (!key)
        throw no_key("There is no key.",
                     "Name the owner's key with --owner-key-file, or the agent's with --key-file.");
    options.agent_key = *key;
    return Client(std::move(options));
}

}  // namespace oauth3::cli
