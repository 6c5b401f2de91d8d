#include "policy/phrases.h"

#include "policy/phrase_limits.h"
#include "policy/phrase_places.h"
#include "policy/phrase_words.h"

#include <array>
#include <span>
#include <utility>
#include <vector>

namespace oauth3::policy {
namespace {

using enum ConstraintClass;

/// A row as it is published, and what makes its limit. Both are one, so that they cannot drift.
struct Row {
    PhraseRow published;
    limits::Result (*limit)(const Places&);
};

/// In a form, {NAME} is a place (phrase_places.h), and a final "…" any other words. The first row
/// that takes a text counts, so the general ones come last.
///
/// A row is `enforced` only if nothing that its text forbids passes its limit, however the text is
/// read. A word that stands for other things as well ("repository": there are other services than
/// GitHub) makes it `partly`, with a remark that says how it was read.
constexpr std::array kRows{
    // Networks and methods.
    Row{{"no network access | no network | no internet access | no internet | "
         "no network connections | without network access | offline",
         "no networks", enforced, ""},
        limits::no_calls},
    Row{{"read only | read-only | only read | only get | get only | only get requests | "
         "read only access | read-only access | get requests only",
         "methods GET, HEAD", enforced, ""},
        limits::reading},
    Row{{"no delete | no delete requests", "no method DELETE", enforced, ""}, limits::no_delete},
    Row{{"only {METHODS} requests | only send {METHODS} requests | only make {METHODS} requests | "
         "only use {METHODS} requests | {METHODS} requests only | only {METHOD} and {METHOD} | "
         "only {METHOD}, {METHOD} and "
         "{METHOD} | only {METHOD}, {METHOD}, and {METHOD}",
         "those methods, and HEAD with GET", enforced, ""},
        limits::methods},
    Row{{"no {METHODS} requests | without {METHODS} requests", "none of those methods", enforced,
         ""},
        limits::no_methods},

    // Hosts and paths.
    Row{{"only access {HOSTS} | only connect to {HOSTS} | only talk to {HOSTS} | "
         "only contact {HOSTS} | only call {HOSTS} | only network access to {HOSTS} | "
         "network access only to {HOSTS} | only the host {HOSTS} | only the hosts {HOSTS} | "
         "only {HOSTS}",
         "those networks", enforced, ""},
        limits::hosts},
    Row{{"only {METHODS} requests to {HOSTS} | only send {METHODS} requests to {HOSTS} | "
         "only make {METHODS} requests to {HOSTS} | {METHODS} requests only to {HOSTS}",
         "those methods, and HEAD with GET, at those networks", enforced, ""},
        limits::methods_at_hosts},
    Row{{"only read from {HOSTS} | only get from {HOSTS}", "methods GET, HEAD at those networks",
         enforced, ""},
        limits::reading_at_hosts},
    Row{{"only {PATHS} on {HOSTS} | only access {PATHS} on {HOSTS} | only call {PATHS} on {HOSTS}",
         "those paths at those networks", enforced, ""},
        limits::hosts},
    Row{{"only {METHODS} {PATHS} on {HOSTS} | only {METHODS} requests to {PATHS} on {HOSTS}",
         "those methods, and HEAD with GET, on those paths at those networks", enforced, ""},
        limits::methods_at_hosts},
    Row{{"only read {PATHS} on {HOSTS} | only read {PATHS} from {HOSTS}",
         "methods GET, HEAD on those paths at those networks", enforced, ""},
        limits::reading_at_hosts},
    Row{{"only https | https only | only use https | only over https | only tls | tls only | "
         "only over tls | no plain http | no unencrypted http | only encrypted connections",
         "no call in clear", enforced, ""},
        limits::https_only},

    // GitHub. What is read of a repository may be of its forks, since GitHub keeps the commits of
    // all of them together and shows each of them below every one's paths.
    Row{{"only read the repository {OWNER}/{REPO} | only read the repo {OWNER}/{REPO} | "
         "only read repository {OWNER}/{REPO} | only read repo {OWNER}/{REPO} | "
         "only read from the repository {OWNER}/{REPO} | only read from the repo {OWNER}/{REPO} | "
         "only read the github repository {OWNER}/{REPO} | "
         "only read the github repo {OWNER}/{REPO} | "
         "only read the repository {OWNER}/{REPO} on github | "
         "only read the repo {OWNER}/{REPO} on github | only read {OWNER}/{REPO} on github",
         "methods GET, HEAD at api.github.com below /repos/OWNER/REPO, and at "
         "raw.githubusercontent.com and codeload.github.com below /OWNER/REPO",
         partly, "taken as a repository on GitHub, which shows commits of its forks below it"},
        limits::read_repository},
    Row{{"only the repository {OWNER}/{REPO} | only the repo {OWNER}/{REPO} | "
         "only the github repository {OWNER}/{REPO} | only the github repo {OWNER}/{REPO} | "
         "only the repository {OWNER}/{REPO} on github | only the repo {OWNER}/{REPO} on github | "
         "only access the repository {OWNER}/{REPO} | only access the repo {OWNER}/{REPO} | "
         "only access the github repository {OWNER}/{REPO} | "
         "only access the github repo {OWNER}/{REPO} | "
         "only access the repository {OWNER}/{REPO} on github | "
         "only access the repo {OWNER}/{REPO} on github | only {OWNER}/{REPO} on github",
         "all methods at api.github.com below /repos/OWNER/REPO; GET, HEAD at "
         "raw.githubusercontent.com and codeload.github.com below /OWNER/REPO",
         partly,
         "taken as a repository on GitHub, where some calls below it act elsewhere, as a fork and "
         "a "
         "transfer do"},
        limits::use_repository},
    Row{{"only read the organisation {OWNER} on github | "
         "only read the organization {OWNER} on github | "
         "only read the github organisation {OWNER} | only read the github organization {OWNER}",
         "methods GET, HEAD at api.github.com below /orgs/OWNER and /repos/OWNER, and at "
         "raw.githubusercontent.com and codeload.github.com below /OWNER",
         partly, "GitHub shows commits of forks, which may be other people's, below a repository"},
        limits::read_organisation},
    Row{{"only the organisation {OWNER} on github | only the organization {OWNER} on github | "
         "only the github organisation {OWNER} | only the github organization {OWNER} | "
         "only access the organisation {OWNER} on github | "
         "only access the organization {OWNER} on github | "
         "only access the github organisation {OWNER} | "
         "only access the github organization {OWNER}",
         "all methods at api.github.com below /orgs/OWNER and /repos/OWNER; GET, HEAD at "
         "raw.githubusercontent.com and codeload.github.com below /OWNER",
         partly, "some calls below it act elsewhere, as a fork and a transfer of a repository do"},
        limits::use_organisation},
    Row{{"only read branch {BRANCH} of {OWNER}/{REPO} | "
         "only read the branch {BRANCH} of {OWNER}/{REPO} | "
         "only read the {BRANCH} branch of {OWNER}/{REPO}",
         "methods GET, HEAD at api.github.com, raw.githubusercontent.com and codeload.github.com "
         "on the paths that name the branch",
         partly, "taken as a branch on GitHub; a tag of the same name can be read in its place"},
        limits::read_branch},
    Row{{"only push to branch {BRANCH} of {OWNER}/{REPO} | "
         "only push to the branch {BRANCH} of {OWNER}/{REPO} | "
         "only push to the {BRANCH} branch of {OWNER}/{REPO}",
         "at api.github.com below /repos/OWNER/REPO/git: GET, HEAD; POST of blobs, trees and "
         "commits; PATCH of refs/heads/BRANCH",
         partly,
         "taken as a branch on GitHub; the git data of the whole repository can be read, and what "
         "the branch held before can be pushed away"},
        limits::push_branch},
    Row{{"only read issues of {OWNER}/{REPO} | only read the issues of {OWNER}/{REPO} | "
         "only read issues in {OWNER}/{REPO} | only read the issues in {OWNER}/{REPO}",
         "methods GET, HEAD at api.github.com below /repos/OWNER/REPO/issues", partly,
         "taken as issues on GitHub, to which pull requests are issues, too"},
        limits::read_issues},
    Row{{"only read and comment on issues of {OWNER}/{REPO} | "
         "only read and comment on the issues of {OWNER}/{REPO} | "
         "only read and comment on issues in {OWNER}/{REPO} | "
         "only read and comment on the issues in {OWNER}/{REPO}",
         "at api.github.com GET, HEAD below /repos/OWNER/REPO/issues, and POST of an issue's "
         "comments",
         partly, "taken as issues on GitHub, to which pull requests are issues, too"},
        limits::read_and_comment},
    Row{{"only comment on issues of {OWNER}/{REPO} | only comment on the issues of {OWNER}/{REPO} "
         "| only comment on issues in {OWNER}/{REPO} | "
         "only comment on the issues in {OWNER}/{REPO}",
         "POST at api.github.com to /repos/OWNER/REPO/issues/*/comments, without reading", partly,
         "taken as issues on GitHub, to which pull requests are issues, too"},
        limits::comment},
    Row{{"only comment on issues | only comment on github issues | "
         "only comment on issues on github",
         "POST at api.github.com to /repos/*/*/issues/*/comments, without reading", partly,
         "taken as issues on GitHub, to which pull requests are issues, too; of any repository"},
        limits::comment},
    Row{{"only create issues in {OWNER}/{REPO} on github | "
         "only open issues in {OWNER}/{REPO} on github | "
         "only create github issues in {OWNER}/{REPO} | only open github issues in {OWNER}/{REPO}",
         "POST at api.github.com to /repos/OWNER/REPO/issues", enforced, ""},
        limits::create_issues},
    Row{{"only create issues in {OWNER}/{REPO} | only open issues in {OWNER}/{REPO}",
         "POST at api.github.com to /repos/OWNER/REPO/issues", partly,
         "taken as a repository on GitHub"},
        limits::create_issues},

    // Endpoints of well-known services.
    Row{{"only the chat completions endpoint | only use the chat completions endpoint | "
         "only chat completions | only the chat completions endpoint of {HOSTS} | "
         "only use the chat completions endpoint of {HOSTS} | only chat completions of {HOSTS}",
         "POST to that path at api.openai.com, openrouter.ai, api.groq.com, api.mistral.ai, "
         "api.deepseek.com, api.x.ai, api.together.xyz, api.cerebras.ai, api.fireworks.ai, "
         "api.perplexity.ai and generativelanguage.googleapis.com, or at those of them that the "
         "text names",
         enforced, ""},
        limits::chat_completions},
    Row{{"only the embeddings endpoint | only use the embeddings endpoint | only embeddings | "
         "only the embeddings endpoint of {HOSTS} | only use the embeddings endpoint of {HOSTS} | "
         "only embeddings of {HOSTS}",
         "POST to that path at api.openai.com, api.mistral.ai, api.together.xyz, api.voyageai.com "
         "and api.jina.ai, or at those of them that the text names",
         enforced, ""},
        limits::embeddings},
    Row{{"only the messages endpoint of {HOSTS} | only use the messages endpoint of {HOSTS}",
         "POST to /v1/messages at api.anthropic.com, the only host that it can name", enforced, ""},
        limits::messages},
    Row{{"only the messages endpoint of anthropic | only the anthropic messages endpoint",
         "POST to /v1/messages at api.anthropic.com", enforced, ""},
        limits::messages},
    Row{{"only the messages endpoint | only use the messages endpoint",
         "POST to /v1/messages at api.anthropic.com", partly, "taken as the endpoint of Anthropic"},
        limits::messages},
    Row{{"only the responses endpoint of {HOSTS} | only use the responses endpoint of {HOSTS}",
         "POST to /v1/responses at api.openai.com, the only host that it can name", enforced, ""},
        limits::responses},
    Row{{"only the responses endpoint of openai | only the openai responses endpoint",
         "POST to /v1/responses at api.openai.com", enforced, ""},
        limits::responses},
    Row{{"only the responses endpoint | only use the responses endpoint",
         "POST to /v1/responses at api.openai.com", partly, "taken as the endpoint of OpenAI"},
        limits::responses},
    Row{{"only post messages to slack | only send messages to slack | only post slack messages | "
         "only send slack messages",
         "POST to /api/chat.postMessage at slack.com", enforced, ""},
        limits::slack_messages},

    // Counts and times.
    Row{{"only once | once only | run only once | only run once | one run only | only one run | "
         "a single run",
         "at most 1 run", enforced, ""},
        limits::one_run},
    Row{{"no more than {N} runs | at most {N} runs | {N} runs at most | only {N} runs | "
         "a maximum of {N} runs | no more than {N} run | at most {N} run | {N} run at most",
         "at most so many runs of the session", enforced, ""},
        limits::runs},
    Row{{"no more than {N} requests | at most {N} requests | {N} requests at most | "
         "only {N} requests | a maximum of {N} requests | no more than {N} http requests | "
         "at most {N} http requests | no more than {N} api calls | at most {N} api calls | "
         "no more than {N} request | at most {N} request | only {N} request",
         "at most so many requests by all runs of the session", enforced, ""},
        limits::requests},
    Row{{"for {DURATION} | only for {DURATION} | for {DURATION} only | for the next {DURATION} | "
         "only for the next {DURATION} | valid for {DURATION} | expires in {DURATION} | "
         "expires after {DURATION} | for the next {UNIT} | only for the next {UNIT}",
         "the session ends so long after the approval; from one minute to one day", enforced, ""},
        limits::life},
    Row{{"no run longer than {DURATION} | no more than {DURATION} per run | "
         "at most {DURATION} per run | at most {DURATION} a run | {DURATION} per run at most",
         "so much time for each run; up to one hour", enforced, ""},
        limits::timeout},

    // Secrets.
    Row{{"no secrets | without secrets", "no secrets", enforced, ""}, limits::no_secrets},
    Row{{"only the secret {SECRETS} | only the secrets {SECRETS} | "
         "only use the secret {SECRETS} | only use the secrets {SECRETS}",
         "those secrets, written in capitals", enforced, ""},
        limits::secrets},
    Row{{"only use {SECRETS}", "those secrets, written in capitals and each with a \"_\"", enforced,
         ""},
        limits::marked_secrets},

    // What says more than a machine can tell.
    Row{{"no destructive actions | no destructive operations | no destructive requests | "
         "no destructive calls | no deletions",
         "no method DELETE", partly, "other methods may still destroy"},
        limits::no_delete},
    Row{{"no writes | no writing | no write access | no changes | no modifications",
         "methods GET, HEAD", partly, "a server may change something on GET, too"},
        limits::reading},
    Row{{"only read … | only get …", "methods GET, HEAD", partly, "the other words are advisory"},
        limits::reading},
};

constexpr std::string_view kOtherWords = "…";

struct Form {
    std::vector<Word> words;
    const Row* row;
};

/// All forms of all rows, in the order of the table.
std::vector<Form> read_forms() {
    static constexpr std::string_view kBetween = " | ";
    std::vector<Form> out;
    for (const Row& row : kRows) {
        std::string_view rest = row.published.forms;
        for (;;) {
            const std::size_t end = rest.find(kBetween);
            out.push_back({words_of(rest.substr(0, end)).value(), &row});
            if (end == std::string_view::npos) break;
            rest.remove_prefix(end + kBetween.size());
        }
    }
    return out;
}

/// What the places of `form` hold if it takes all of `words`.
std::optional<Places> match(const Form& form, std::span<const Word> words) {
    Places places;
    for (const Word& expected : form.words) {
        if (words.empty()) return std::nullopt;
        if (expected.is(kOtherWords)) return places;
        std::size_t taken = 0;
        if (is_place(expected.text))
            taken = read_place(expected.text, words, places);
        else
            taken = words[0].is(expected.lower) ? 1 : 0;
        if (taken == 0) return std::nullopt;
        words = words.subspan(taken);
    }
    if (!words.empty()) return std::nullopt;
    return places;
}

}  // namespace

std::string_view to_string(ConstraintClass kind) {
    switch (kind) {
        case enforced:
            return "enforced";
        case partly:
            return "partly";
        case advisory:
            break;
    }
    return "advisory";
}

Phrase compile_phrase(std::string_view text) {
    static const std::vector<Form> kForms = read_forms();
    const auto words = words_of(text);
    if (!words || words->empty()) return {};
    for (const Form& form : kForms) {
        const auto places = match(form, *words);
        if (!places) continue;
        if (auto limit = form.row->limit(*places))
            return {form.row->published.kind, std::move(*limit),
                    std::string(form.row->published.remark)};
    }
    return {};
}

std::span<const PhraseRow> phrase_table() {
    static const std::vector<PhraseRow> kPublished = [] {
        std::vector<PhraseRow> out;
        out.reserve(kRows.size());
        for (const Row& row : kRows) out.push_back(row.published);
        return out;
    }();
    return kPublished;
}

}  // namespace oauth3::policy
