#include "policy/phrase_limits.h"

#include "skill/declaration.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace oauth3::policy::limits {
namespace {

using Texts = std::vector<std::string>;

constexpr base::Seconds kShortestLife{60};
constexpr base::Seconds kLongestLife = std::chrono::hours(24);

constexpr std::string_view kApi = "api.github.com";
constexpr std::string_view kFiles = "raw.githubusercontent.com";
constexpr std::string_view kArchives = "codeload.github.com";

Methods only(Texts names) {
    if (std::find(names.begin(), names.end(), "GET") != names.end()) names.emplace_back("HEAD");
    return Methods::only(std::move(names));
}

Methods get() {
    return only({"GET"});
}

std::vector<PathPattern> paths(const Texts& texts) {
    std::vector<PathPattern> out;
    for (const std::string& text : texts)
        out.push_back(std::get<PathPattern>(PathPattern::parse(text)));
    std::sort(out.begin(), out.end());
    return out;
}

Rule rule(std::string_view host, Methods methods, const Texts& texts) {
    return {base::Network{std::string(host), false, std::nullopt}, std::move(methods),
            paths(texts)};
}

Limit calls(std::vector<Rule> rules) {
    Limit out;
    out.calls = std::move(rules);
    return out;
}

Limit everywhere(Methods methods) {
    return calls({{std::nullopt, std::move(methods), paths({"/**"})}});
}

Limit at_hosts(const Places& in, const Methods& methods) {
    std::vector<PathPattern> where = in.paths.empty() ? paths({"/**"}) : in.paths;
    std::sort(where.begin(), where.end());
    std::vector<Rule> rules;
    for (const base::Network& host : in.hosts) rules.push_back({host, methods, where});
    return calls(std::move(rules));
}

/// The path of the repository at a host of GitHub; "*" for every owner and repository if the text
/// names none.
std::string repository(const Places& in) {
    return in.repository.empty() ? "/*/*" : fmt::format("/{}/{}", in.owner, in.repository);
}
std::string at_api(const Places& in) {
    return "/repos" + repository(in);
}

Rule reads_issues(const Places& in) {
    return rule(kApi, get(), {at_api(in) + "/issues/**"});
}
Rule comments(const Places& in) {
    return rule(kApi, only({"POST"}), {at_api(in) + "/issues/*/comments"});
}

struct Endpoint {
    std::string_view host, path;
};

constexpr Endpoint kChatCompletions[]{
    {"api.openai.com", "/v1/chat/completions"},
    {"openrouter.ai", "/api/v1/chat/completions"},
    {"api.groq.com", "/openai/v1/chat/completions"},
    {"api.mistral.ai", "/v1/chat/completions"},
    {"api.deepseek.com", "/chat/completions"},
    {"api.deepseek.com", "/v1/chat/completions"},
    {"api.x.ai", "/v1/chat/completions"},
    {"api.together.xyz", "/v1/chat/completions"},
    {"api.cerebras.ai", "/v1/chat/completions"},
    {"api.fireworks.ai", "/inference/v1/chat/completions"},
    {"api.perplexity.ai", "/chat/completions"},
    {"generativelanguage.googleapis.com", "/v1beta/openai/chat/completions"},
};
constexpr Endpoint kEmbeddings[]{
    {"api.openai.com", "/v1/embeddings"},   {"api.mistral.ai", "/v1/embeddings"},
    {"api.together.xyz", "/v1/embeddings"}, {"api.voyageai.com", "/v1/embeddings"},
    {"api.jina.ai", "/v1/embeddings"},
};
constexpr Endpoint kMessages[]{{"api.anthropic.com", "/v1/messages"}};
constexpr Endpoint kResponses[]{{"api.openai.com", "/v1/responses"}};

/// POST to the endpoint at the hosts of the text, or at all that are known if it names none.
/// nullopt if it names one that is not known to have the endpoint.
Result endpoint(std::span<const Endpoint> known, const Places& in) {
    std::vector<Rule> rules;
    const auto add = [&](std::string_view host) {
        Texts where;
        for (const Endpoint& one : known)
            if (one.host == host) where.emplace_back(one.path);
        Rule found = rule(host, only({"POST"}), where);
        if (std::find(rules.begin(), rules.end(), found) == rules.end())
            rules.push_back(std::move(found));
        return !where.empty();
    };
    if (in.hosts.empty())
        for (const Endpoint& one : known) add(one.host);
    for (const base::Network& host : in.hosts)
        if (host.wildcard || host.port || !add(host.host)) return std::nullopt;
    return calls(std::move(rules));
}

}  // namespace

Result no_calls(const Places& /*in*/) {
    return calls({});
}

Result https_only(const Places& /*in*/) {
    Limit out;
    out.tls_only = true;
    return out;
}

Result reading(const Places& /*in*/) {
    return everywhere(get());
}
Result methods(const Places& in) {
    return everywhere(only(in.methods));
}
Result no_methods(const Places& in) {
    return everywhere(Methods::but(in.methods));
}
Result no_delete(const Places& /*in*/) {
    return everywhere(Methods::but({"DELETE"}));
}

Result hosts(const Places& in) {
    return at_hosts(in, Methods::all());
}
Result methods_at_hosts(const Places& in) {
    return at_hosts(in, only(in.methods));
}
Result reading_at_hosts(const Places& in) {
    return at_hosts(in, get());
}

Result read_repository(const Places& in) {
    return calls({rule(kApi, get(), {at_api(in) + "/**"}),
                  rule(kFiles, get(), {repository(in) + "/**"}),
                  rule(kArchives, get(), {repository(in) + "/**"})});
}

Result use_repository(const Places& in) {
    return calls({rule(kApi, Methods::all(), {at_api(in) + "/**"}),
                  rule(kFiles, get(), {repository(in) + "/**"}),
                  rule(kArchives, get(), {repository(in) + "/**"})});
}

Result read_organisation(const Places& in) {
    const std::string below = "/" + in.owner + "/**";
    return calls({rule(kApi, get(), {"/orgs" + below, "/repos" + below}),
                  rule(kFiles, get(), {below}), rule(kArchives, get(), {below})});
}

Result use_organisation(const Places& in) {
    const std::string below = "/" + in.owner + "/**";
    return calls({rule(kApi, Methods::all(), {"/orgs" + below, "/repos" + below}),
                  rule(kFiles, get(), {below}), rule(kArchives, get(), {below})});
}

/// Only what names the branch in its path: elsewhere the query says which, and that is not checked.
Result read_branch(const Places& in) {
    const std::string api = at_api(in), files = repository(in), branch = "/" + in.branch;
    const std::string ref = "/refs/heads" + branch;
    return calls({rule(kApi, get(),
                       {api + "/branches" + branch, api + "/commits" + branch,
                        api + "/commits/heads" + branch, api + "/git/ref/heads" + branch,
                        api + "/git/refs/heads" + branch, api + "/git/trees" + branch,
                        api + "/tarball" + branch, api + "/tarball" + ref,
                        api + "/zipball" + branch, api + "/zipball" + ref}),
                  rule(kFiles, get(), {files + branch + "/**", files + ref + "/**"}),
                  rule(kArchives, get(), {files + "/*" + branch, files + "/*" + ref})});
}

/// As the API makes a commit: blobs, a tree, the commit, and then the branch is set to it.
Result push_branch(const Places& in) {
    const std::string git = at_api(in) + "/git";
    return calls({rule(kApi, get(), {git + "/**"}),
                  rule(kApi, only({"POST"}), {git + "/blobs", git + "/commits", git + "/trees"}),
                  rule(kApi, only({"PATCH"}), {git + "/refs/heads/" + in.branch})});
}

Result read_issues(const Places& in) {
    return calls({reads_issues(in)});
}
Result read_and_comment(const Places& in) {
    return calls({reads_issues(in), comments(in)});
}
Result comment(const Places& in) {
    return calls({comments(in)});
}
Result create_issues(const Places& in) {
    return calls({rule(kApi, only({"POST"}), {at_api(in) + "/issues"})});
}

Result chat_completions(const Places& in) {
    return endpoint(kChatCompletions, in);
}
Result embeddings(const Places& in) {
    return endpoint(kEmbeddings, in);
}
Result messages(const Places& in) {
    return endpoint(kMessages, in);
}
Result responses(const Places& in) {
    return endpoint(kResponses, in);
}
Result slack_messages(const Places& /*in*/) {
    return calls({rule("slack.com", only({"POST"}), {"/api/chat.postMessage"})});
}

Result one_run(const Places& /*in*/) {
    Limit out;
    out.max_runs = 1;
    return out;
}
Result runs(const Places& in) {
    Limit out;
    out.max_runs = in.count;
    return out;
}
Result requests(const Places& in) {
    Limit out;
    out.max_requests = in.count;
    return out;
}

Result life(const Places& in) {
    if (in.duration < kShortestLife || in.duration > kLongestLife) return std::nullopt;
    Limit out;
    out.life = in.duration;
    return out;
}
Result timeout(const Places& in) {
    if (in.duration > skill::kMaxTimeout) return std::nullopt;
    Limit out;
    out.timeout = in.duration;
    return out;
}

Result no_secrets(const Places& /*in*/) {
    Limit out;
    out.secrets.emplace();
    return out;
}
Result secrets(const Places& in) {
    Limit out;
    out.secrets = in.secrets;
    std::sort(out.secrets->begin(), out.secrets->end());
    return out;
}
Result marked_secrets(const Places& in) {
    const auto has_mark = [](const std::string& name) {
        return name.find('_') != std::string::npos;
    };
    if (!std::all_of(in.secrets.begin(), in.secrets.end(), has_mark)) return std::nullopt;
    return secrets(in);
}

}  // namespace oauth3::policy::limits
