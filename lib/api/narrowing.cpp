#include "api/narrowing.h"

#include "base/crypto.h"
#include "base/utf8.h"
#include "skill/names.h"

#include <fmt/format.h>

namespace oauth3::api {
namespace {

constexpr std::size_t kMaxEntries = 1000;

std::vector<std::string> read_list(const Body& body, const char* name) {
    auto list = body.texts(name);
    if (list.size() > kMaxEntries)
        throw bad_field(name, fmt::format("\"{}\" takes at most {} entries.", name, kMaxEntries));
    return list;
}

std::string shown(std::string_view text) {
    return base::make_visible(base::cut_utf8(text, 100), false);
}

std::vector<base::Network> read_networks(const Body& body) {
    std::vector<base::Network> out;
    for (const std::string& text : read_list(body, "networks")) {
        base::NetworkResult result = base::parse_network(text);
        if (!result.network)
            throw bad_field("networks", fmt::format("\"{}\": {}.", shown(text), result.problem));
        out.push_back(std::move(*result.network));
    }
    return out;
}

std::vector<std::string> read_hashes(const Body& body) {
    auto hashes = read_list(body, "code_hashes");
    for (const std::string& hash : hashes)
        if (!base::is_lower_hex(hash, 64))
            throw bad_field("code_hashes", "A code hash has 64 lower-case hexadecimal digits.");
    return hashes;
}

std::vector<std::string> read_secrets(const Body& body) {
    auto names = read_list(body, "secrets");
    for (const std::string& name : names)
        if (!skill::is_secret_name(name))
            throw bad_field("secrets",
                            fmt::format("\"{}\" is not a name for a secret.", shown(name)));
    return names;
}

}  // namespace

Refusal not_narrower(const std::string& field) {
    return {400,
            "not_narrower",
            fmt::format("\"{}\" would allow more than the session does.", field),
            "A session can only be narrowed; ask for a scope to widen it.",
            {{"field", field}}};
}

policy::Narrowing read_narrowing(const Body& body) {
    body.refuse({"rules", "args"});
    // A misspelt part that was ignored would look as if it were cut.
    const auto unknown =
        body.unknown({"secrets", "networks", "code_hashes", "max_runs", "max_timeout", "expires_in",
                      "any_code", "rules", "args", "tenant", "csrf"});
    if (!unknown.empty())
        throw bad_field(unknown.front(),
                        fmt::format("\"{}\" is no part of a session.", unknown.front()));
    // No session of this server allows any code, so leaving it off changes nothing.
    if (body.boolean("any_code") == true) throw not_narrower("any_code");
    policy::Narrowing out;
    if (body.has("secrets")) out.secrets = read_secrets(body);
    if (body.has("networks")) out.networks = read_networks(body);
    if (body.has("code_hashes")) out.code_hashes = read_hashes(body);
    out.max_runs = body.whole("max_runs", 1);
    if (const auto seconds = body.whole("max_timeout", 1))
        out.max_timeout = base::Seconds(*seconds);
    if (const auto seconds = body.whole("expires_in", 1)) out.expires_in = base::Seconds(*seconds);
    return out;
}

}  // namespace oauth3::api
