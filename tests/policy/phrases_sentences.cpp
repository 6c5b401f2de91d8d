#include "policy/phrases_table.h"

namespace oauth3::test {
namespace {

using enum policy::ConstraintClass;

constexpr const char* kRepositoryReads =
    "only GET, HEAD api.github.com /repos/o/r/**; GET, HEAD raw.githubusercontent.com /o/r/**; "
    "GET, HEAD codeload.github.com /o/r/**";
constexpr const char* kRepositoryUse =
    "only all methods api.github.com /repos/o/r/**; GET, HEAD raw.githubusercontent.com /o/r/**; "
    "GET, HEAD codeload.github.com /o/r/**";

}  // namespace

const std::vector<Sentence>& compiled_sentences() {
    static const std::vector<Sentence> kSentences{
        // The table of the wire, row by row, as it is written there.
        {"no network access", enforced, "no networks"},
        {"no network", enforced, "no networks"},
        {"no internet access", enforced, "no networks"},
        {"read only", enforced, "methods GET, HEAD"},
        {"read-only", enforced, "methods GET, HEAD"},
        {"only read", enforced, "methods GET, HEAD"},
        {"only get", enforced, "methods GET, HEAD"},
        {"get only", enforced, "methods GET, HEAD"},
        {"only get requests", enforced, "methods GET, HEAD"},
        {"no delete", enforced, "no method DELETE"},
        {"no delete requests", enforced, "no method DELETE"},
        {"only access api.example.org", enforced, "networks api.example.org"},
        {"only connect to a.org, b.org", enforced, "networks a.org, b.org"},
        {"only talk to a.org and b.org", enforced, "networks a.org, b.org"},
        {"no destructive actions", partly, "no method DELETE"},
        {"no destructive operations", partly, "no method DELETE"},
        {"only read issues", partly, "methods GET, HEAD"},
        {"only get the weather", partly, "methods GET, HEAD"},

        // Letter case, blanks, the full stop, NFC.
        {"Read Only", enforced, "methods GET, HEAD"},
        {"READ ONLY.", enforced, "methods GET, HEAD"},
        {"  read   only  ", enforced, "methods GET, HEAD"},
        {"\tread\tonly.\n", enforced, "methods GET, HEAD"},
        {"read\r\nonly", enforced, "methods GET, HEAD"},
        {"read\u00A0only", enforced, "methods GET, HEAD"},
        {"\u00A0Read only.\u00A0", enforced, "methods GET, HEAD"},
        {"No Network Access.", enforced, "no networks"},
        {"Only read issues", partly, "methods GET, HEAD"},
        {"only read M\u00FCller's issues", partly, "methods GET, HEAD"},
        {"only read Mu\u0308ller's issues", partly, "methods GET, HEAD"},
        {"only access boo\u212A.org", enforced, "networks book.org"},  // the Kelvin sign is a K
        {"only read, never write", partly, "methods GET, HEAD"},
        {"only read and do not comment .", partly, "methods GET, HEAD"},
        {"only read and write files", partly, "methods GET, HEAD"},

        // Networks.
        {"no internet", enforced, "no networks"},
        {"no network connections", enforced, "no networks"},
        {"without network access", enforced, "no networks"},
        {"Offline.", enforced, "no networks"},

        // Methods.
        {"read only access", enforced, "methods GET, HEAD"},
        {"Read-only access.", enforced, "methods GET, HEAD"},
        {"GET requests only", enforced, "methods GET, HEAD"},
        {"only get and post", enforced, "methods GET, HEAD, POST"},
        {"only GET and HEAD", enforced, "methods GET, HEAD"},
        {"only get, post and put", enforced, "methods GET, HEAD, POST, PUT"},
        {"only head, post, and put", enforced, "methods HEAD, POST, PUT"},
        {"only get, head and options requests", enforced, "methods GET, HEAD, OPTIONS"},
        {"only POST requests", enforced, "methods POST"},
        {"only post, put or patch requests", enforced, "methods PATCH, POST, PUT"},
        {"only send get or post requests", enforced, "methods GET, HEAD, POST"},
        {"only make head requests", enforced, "methods HEAD"},
        {"only use get requests", enforced, "methods GET, HEAD"},
        {"post and patch requests only", enforced, "methods PATCH, POST"},
        {"no post requests", enforced, "no method POST"},
        {"no put, patch or delete requests", enforced, "no method DELETE, PATCH, PUT"},
        {"no put, patch, or delete requests", enforced, "no method DELETE, PATCH, PUT"},
        {"without delete and delete requests", enforced, "no method DELETE"},

        // Hosts.
        {"only access API.Example.org", enforced, "networks api.example.org"},
        {"only access a.org, b.org and c.org", enforced, "networks a.org, b.org, c.org"},
        {"only access a.org, b.org, and c.org.", enforced, "networks a.org, b.org, c.org"},
        {"only access a.org,b.org ,c.org", enforced, "networks a.org, b.org, c.org"},
        {"only access a.org and b.org and a.org", enforced, "networks a.org, b.org"},
        {"only access *.example.org", enforced, "networks *.example.org"},
        {"only access example.org:8443", enforced, "networks example.org:8443"},
        {"only access localhost", enforced, "networks localhost"},
        {"only access localhost:8080 and 10.0.0.1", enforced, "networks localhost:8080, 10.0.0.1"},
        {"only access [::1]:8080", enforced, "networks [::1]:8080"},
        {"only access xn--bcher-kva.example", enforced, "networks xn--bcher-kva.example"},
        {"only contact a.org", enforced, "networks a.org"},
        {"only call a.org", enforced, "networks a.org"},
        {"only network access to a.org", enforced, "networks a.org"},
        {"network access only to a.org", enforced, "networks a.org"},
        {"only the host a.org", enforced, "networks a.org"},
        {"only the hosts a.org and b.org", enforced, "networks a.org, b.org"},
        {"only api.github.com", enforced, "networks api.github.com"},
        {"only get requests to a.org", enforced, "only GET, HEAD a.org /**"},
        {"only get and post requests to a.org and b.org", enforced,
         "only GET, HEAD, POST a.org /**; GET, HEAD, POST b.org /**"},
        {"only send post requests to a.org", enforced, "only POST a.org /**"},
        {"only make post requests to a.org", enforced, "only POST a.org /**"},
        {"post requests only to a.org", enforced, "only POST a.org /**"},
        {"only read from a.org", enforced, "only GET, HEAD a.org /**"},
        {"only get from a.org", enforced, "only GET, HEAD a.org /**"},
        {"only https", enforced, "only over TLS"},
        {"HTTPS only.", enforced, "only over TLS"},
        {"only use https", enforced, "only over TLS"},
        {"only over TLS", enforced, "only over TLS"},
        {"no plain http", enforced, "only over TLS"},
        {"no unencrypted http", enforced, "only over TLS"},
        {"only encrypted connections", enforced, "only over TLS"},

        // Paths.
        {"only /repos/o/r/** on api.github.com", enforced,
         "only all methods api.github.com /repos/o/r/**"},
        {"only access /a and /b/* on a.org and b.org:8443", enforced,
         "only all methods a.org /a, /b/*; all methods b.org:8443 /a, /b/*"},
        {"only call /V1/Items on a.org", enforced, "only all methods a.org /V1/Items"},
        {"only get /v1/items/* on api.example.org", enforced,
         "only GET, HEAD api.example.org /v1/items/*"},
        {"only GET and POST /v1/items on a.org", enforced, "only GET, HEAD, POST a.org /v1/items"},
        {"only post requests to /v1/items on a.org", enforced, "only POST a.org /v1/items"},
        {"only read /v1/** on a.org", enforced, "only GET, HEAD a.org /v1/**"},
        {"only read /v1/** from a.org", enforced, "only GET, HEAD a.org /v1/**"},

        // GitHub.
        {"only read the repository o/r", partly, kRepositoryReads},
        {"only read the repo o/r.", partly, kRepositoryReads},
        {"only read repo o/r", partly, kRepositoryReads},
        {"Only read the GitHub repository o/r", partly, kRepositoryReads},
        {"only read from the repository o/r", partly, kRepositoryReads},
        {"only read o/r on GitHub", partly, kRepositoryReads},
        {"only the repository o/r", partly, kRepositoryUse},
        {"only the github repo o/r", partly, kRepositoryUse},
        {"only access the repository o/r on github", partly, kRepositoryUse},
        {"only o/r on github", partly, kRepositoryUse},
        {"only read the repository Acme/My_Tool.js", partly,
         "only GET, HEAD api.github.com /repos/Acme/My_Tool.js/**; GET, HEAD "
         "raw.githubusercontent.com /Acme/My_Tool.js/**; GET, HEAD codeload.github.com "
         "/Acme/My_Tool.js/**"},
        {"only the organisation acme on github", partly,
         "only all methods api.github.com /orgs/acme/**, /repos/acme/**; GET, HEAD "
         "raw.githubusercontent.com /acme/**; GET, HEAD codeload.github.com /acme/**"},
        {"only read the GitHub organization Acme", partly,
         "only GET, HEAD api.github.com /orgs/Acme/**, /repos/Acme/**; GET, HEAD "
         "raw.githubusercontent.com /Acme/**; GET, HEAD codeload.github.com /Acme/**"},
        {"only read branch main of o/r", partly,
         "only GET, HEAD api.github.com /repos/o/r/branches/main, /repos/o/r/commits/heads/main, "
         "/repos/o/r/commits/main, /repos/o/r/git/ref/heads/main, /repos/o/r/git/refs/heads/main, "
         "/repos/o/r/git/trees/main, /repos/o/r/tarball/main, /repos/o/r/tarball/refs/heads/main, "
         "/repos/o/r/zipball/main, /repos/o/r/zipball/refs/heads/main; GET, HEAD "
         "raw.githubusercontent.com /o/r/main/**, /o/r/refs/heads/main/**; GET, HEAD "
         "codeload.github.com /o/r/*/main, /o/r/*/refs/heads/main"},
        {"only push to the branch agent-1 of o/r", partly,
         "only GET, HEAD api.github.com /repos/o/r/git/**; POST api.github.com "
         "/repos/o/r/git/blobs, /repos/o/r/git/commits, /repos/o/r/git/trees; PATCH "
         "api.github.com /repos/o/r/git/refs/heads/agent-1"},
        {"only read issues of o/r", partly, "only GET, HEAD api.github.com /repos/o/r/issues/**"},
        {"only read the issues in o/r", partly,
         "only GET, HEAD api.github.com /repos/o/r/issues/**"},
        {"only read and comment on issues of o/r", partly,
         "only GET, HEAD api.github.com /repos/o/r/issues/**; POST api.github.com "
         "/repos/o/r/issues/*/comments"},
        {"only comment on issues of o/r", partly,
         "only POST api.github.com /repos/o/r/issues/*/comments"},
        {"only comment on issues", partly, "only POST api.github.com /repos/*/*/issues/*/comments"},
        {"only create issues in o/r", partly, "only POST api.github.com /repos/o/r/issues"},
        {"only create github issues in o/r", enforced,
         "only POST api.github.com /repos/o/r/issues"},
        {"only read branch deadbeef of o/r", partly, "methods GET, HEAD"},
        {"only read the repository o/..", partly, "methods GET, HEAD"},
        {"only read the repository o/r?x=1", partly, "methods GET, HEAD"},
        {"only read and comment on issues", partly, "methods GET, HEAD"},
        {"only get /search?q=x on a.org", partly, "methods GET, HEAD"},
        {"only get, post", partly, "methods GET, HEAD"},

        // Endpoints.
        {"only the chat completions endpoint of api.openai.com", enforced,
         "only POST api.openai.com /v1/chat/completions"},
        {"only chat completions of api.deepseek.com and openrouter.ai", enforced,
         "only POST api.deepseek.com /chat/completions, /v1/chat/completions; POST openrouter.ai "
         "/api/v1/chat/completions"},
        {"only the chat completions endpoint", enforced,
         "only POST api.openai.com /v1/chat/completions; POST openrouter.ai "
         "/api/v1/chat/completions; POST api.groq.com /openai/v1/chat/completions; POST "
         "api.mistral.ai /v1/chat/completions; POST api.deepseek.com /chat/completions, "
         "/v1/chat/completions; POST api.x.ai /v1/chat/completions; POST api.together.xyz "
         "/v1/chat/completions; POST api.cerebras.ai /v1/chat/completions; POST api.fireworks.ai "
         "/inference/v1/chat/completions; POST api.perplexity.ai /chat/completions; POST "
         "generativelanguage.googleapis.com /v1beta/openai/chat/completions"},
        {"only the embeddings endpoint", enforced,
         "only POST api.openai.com /v1/embeddings; POST api.mistral.ai /v1/embeddings; POST "
         "api.together.xyz /v1/embeddings; POST api.voyageai.com /v1/embeddings; POST api.jina.ai "
         "/v1/embeddings"},
        {"only the embeddings endpoint of api.jina.ai", enforced,
         "only POST api.jina.ai /v1/embeddings"},
        {"only the messages endpoint", partly, "only POST api.anthropic.com /v1/messages"},
        {"only the Anthropic messages endpoint", enforced,
         "only POST api.anthropic.com /v1/messages"},
        {"only the messages endpoint of api.anthropic.com", enforced,
         "only POST api.anthropic.com /v1/messages"},
        {"only the responses endpoint", partly, "only POST api.openai.com /v1/responses"},
        {"only the responses endpoint of openai", enforced,
         "only POST api.openai.com /v1/responses"},
        {"only post messages to Slack", enforced, "only POST slack.com /api/chat.postMessage"},

        // Counts and times.
        {"only once", enforced, "at most 1 run"},
        {"Run only once.", enforced, "at most 1 run"},
        {"one run only", enforced, "at most 1 run"},
        {"at most one run", enforced, "at most 1 run"},
        {"no more than 5 runs", enforced, "at most 5 runs"},
        {"at most twelve runs", enforced, "at most 12 runs"},
        {"twenty-five runs at most", enforced, "at most 25 runs"},
        {"a maximum of thirty runs", enforced, "at most 30 runs"},
        {"only 3 runs", enforced, "at most 3 runs"},
        {"at most 999999 runs", enforced, "at most 999999 runs"},
        {"no more than 10 requests", enforced, "at most 10 requests"},
        {"At most 1 request.", enforced, "at most 1 request"},
        {"100 requests at most", enforced, "at most 100 requests"},
        {"at most ten API calls", enforced, "at most 10 requests"},
        {"for one hour", enforced, "ends after 1 h"},
        {"for an hour", enforced, "ends after 1 h"},
        {"for half an hour", enforced, "ends after 30 min"},
        {"for the next 2 hours", enforced, "ends after 2 h"},
        {"for the next hour", enforced, "ends after 1 h"},
        {"for 30 minutes", enforced, "ends after 30 min"},
        {"only for one hour.", enforced, "ends after 1 h"},
        {"for one day", enforced, "ends after 24 h"},
        {"for 24 hours", enforced, "ends after 24 h"},
        {"expires in 90 seconds", enforced, "ends after 90 s"},
        {"expires after 5 min", enforced, "ends after 5 min"},
        {"valid for 60 seconds", enforced, "ends after 1 min"},
        {"no run longer than 30 seconds", enforced, "30 s a run"},
        {"at most 10 seconds per run", enforced, "10 s a run"},
        {"at most one minute a run", enforced, "1 min a run"},
        {"one hour per run at most", enforced, "1 h a run"},

        // Secrets.
        {"no secrets", enforced, "no secrets"},
        {"Without secrets.", enforced, "no secrets"},
        {"only the secret GH_TOKEN", enforced, "secrets GH_TOKEN"},
        {"only the secrets TOKEN_B and TOKEN_A", enforced, "secrets TOKEN_A, TOKEN_B"},
        {"ONLY USE THE SECRETS A, B AND C", enforced, "secrets A, B, C"},
        {"only use GH_TOKEN and SLACK_TOKEN", enforced, "secrets GH_TOKEN, SLACK_TOKEN"},

        // What says more.
        {"No destructive requests.", partly, "no method DELETE"},
        {"no deletions", partly, "no method DELETE"},
        {"no writes", partly, "methods GET, HEAD"},
        {"no write access", partly, "methods GET, HEAD"},
        {"no modifications", partly, "methods GET, HEAD"},
    };
    return kSentences;
}

}  // namespace oauth3::test
