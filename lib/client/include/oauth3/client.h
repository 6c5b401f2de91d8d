#pragma once

// The C++ client of an oauth3 server: agent calls (sign up, submit, wait) and owner calls (list,
// read, decide, manage). It stands alone: standard types only, every JSON document as UTF-8 text.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace oauth3 {

// --- errors ---

/// Why a call failed.
enum class ClientErrorKind {
    unreachable,     ///< no connection, no such host, broken connection, or TLS not trusted
    timeout,         ///< the call's own time is over; a submitted request lives on
    authentication,  ///< the server answered 401 or 403
    refused,         ///< any other answer of 400 and above
    protocol,        ///< the answer makes no sense: not JSON, a redirect, a missing member, too big
    interrupted,     ///< Options::interrupt_fd became readable; a submitted request lives on
};

/// What is known of a failed call beside its sentence.
struct ClientErrorDetails {
    int http_status = 0;               ///< 0: no answer
    std::string code = {};             ///< wire 1.5, such as "already_decided"; may be empty
    std::string hint = {};             ///< what to do next; may be empty
    std::string json = {};             ///< the server's whole error document; may be empty
    bool maybe_sent = false;           ///< a POST or DELETE may have been done without a word of it
    std::string idempotency_key = {};  ///< with which a submission was sent; may be empty
    std::string request_id = {};       ///< of the request that was waited for; may be empty
};

/// What every call throws, but for std::invalid_argument. `what()` is one sentence; it may hold
/// text of the server, so make control characters visible before a human sees it. Never holds a
/// key of an agent or owner.
class ClientError : public std::runtime_error {
  public:
    ClientError(ClientErrorKind kind, const std::string& message, ClientErrorDetails details = {})
        : std::runtime_error(message), kind_(kind), details_(std::move(details)) {}

    ClientErrorKind kind() const { return kind_; }
    int http_status() const { return details_.http_status; }
    const std::string& code() const { return details_.code; }
    const std::string& hint() const { return details_.hint; }
    const std::string& json() const { return details_.json; }
    bool maybe_sent() const { return details_.maybe_sent; }
    const std::string& idempotency_key() const { return details_.idempotency_key; }
    const std::string& request_id() const { return details_.request_id; }

  private:
    ClientErrorKind kind_;
    ClientErrorDetails details_;
};

// --- servers and ids ---

/// A base URL in the one form in which two can be compared: lower-case scheme and host, no default
/// port, at most one final "/" dropped.
struct ServerUrl {
    std::string text;
    bool plain_http = false;  ///< not protected by TLS
    bool loopback = false;    ///< 127.0.0.0/8, [::1] or localhost
};

/// Reads a base URL: http or https, a host, perhaps a port and a path prefix. Throws
/// std::invalid_argument (one sentence) for anything else, and for a user, query or fragment.
ServerUrl parse_server_url(std::string_view text);

/// A random Idempotency-Key.
std::string new_idempotency_key();

/// True iff `id` can be a request's id: 1 to 64 of [A-Za-z0-9_-].
bool is_request_id(std::string_view id);

// --- what calls take ---

/// In whose name a call is made that agents and owners have in common: the agent's, unless
/// as_owner().
struct Caller {
    bool owner = false;       ///< with the owner's key
    std::string tenant = {};  ///< whose rows an owner means; empty: all of its tenants
};

/// The owner, for the rows of `tenant`, or for those of all its tenants.
inline Caller as_owner(std::string tenant = {}) {
    return {true, std::move(tenant)};
}

/// Who signs up. All but the name may be empty.
struct NewAgent {
    std::string name = "agent";
    std::string email = {};
    std::string invite = {};
};

/// The body of POST /execute. Empty members are left out.
struct ExecuteRequest {
    std::string skill_id = {};
    std::string skill_code = {};
    std::vector<std::string> secrets = {};
    std::string args_json = {};  ///< a JSON object as text
    std::string session_id = {};
    std::string skill_url = {};     ///< instead of the code: where the server gets it
    std::string skill_sha256 = {};  ///< the code must have this hash
};

struct PollOptions {
    bool until_final = false;  ///< also wait while secrets are missing
    Caller caller = {};
};

/// Which requests a list holds. Empty members do not restrict it.
struct RequestFilter {
    std::string status = {};
    std::string tenant = {};
    int limit = 0;            ///< entries of one page; 0: the server's default
    std::string before = {};  ///< Page::next of the page before
};

/// Which events of the ledger a page holds: newest first, but oldest first with `after` or
/// `request_id`. Empty members do not restrict it.
struct AuditFilter {
    int limit = 0;  ///< events of one page; 0: the server's default
    std::string before = {};
    std::string after = {};
    std::string tenant = {};
    std::string request_id = {};
};

/// What happens while a call takes its time.
struct Progress {
    enum class Kind {
        status,     ///< `text` is the request's new status
        retry,      ///< `text` says what failed; the call is tried again after `delay`
        submitted,  ///< execute_and_wait and scope_and_execute: `text` is the new request's id,
                    ///< `url` where the human approves it (empty: nobody has to be asked)
    };
    Kind kind = Kind::status;
    std::string text = {};
    std::chrono::milliseconds delay{0};
    std::string url = {};
};

// --- what calls give ---

/// An answer of 2xx.
struct Reply {
    int http_status = 0;
    std::string json = {};  ///< the document as the server sent it, checked to be one JSON object
};

/// One page of a list.
struct Page : Reply {
    std::string next = {};  ///< the cursor of the next page; empty: this is the last
};

/// The answer to POST /execute and POST /scope.
struct Submission {
    Reply reply;
    std::string request_id;
    std::string status;
    std::string session_id;
    std::string approval_url;  ///< empty if nobody has to be asked
};

/// The answer to a dry run.
struct DryRun {
    Reply reply;
    bool would_auto_approve = false;
    std::string reason;  ///< wire 5.3: "session_policy", "needs_approval", ...
};

/// What a skill left (wire 5.7).
struct RunResult {
    bool success = false;
    std::string out;  ///< its stdout
    std::string err;  ///< its stderr
    int exit_code = 0;
    std::chrono::milliseconds duration{0};
};

/// The answer to GET /execute/:id/status.
struct RequestState {
    Reply reply;
    std::string request_id;
    std::string status;  ///< as on the wire: "pending", "completed", ...
    std::string session_id;
    std::string approval_url;
    std::string state;                         ///< finer than `status`: "expired", "cancelled", ...
    std::string error;                         ///< why it failed or was denied; may be empty
    std::vector<std::string> missing_secrets;  ///< while it is awaiting_secrets
    std::optional<RunResult> result;           ///< of an execution that started
};

/// What became of a scope and of the execution in its session.
struct ScopedRun {
    RequestState scope;
    std::optional<RequestState> run;  ///< absent unless the scope was completed
};

struct LoginLink {
    Reply reply;
    std::string url;
    std::int64_t expires_at = 0;  ///< milliseconds since 1970 UTC
};

// --- the client ---

/// Talks to one server. Not for use by several threads at once. Redirects are not followed, TLS
/// certificates are always verified (against $SSL_CERT_FILE if set), proxies of the environment
/// are used except for loopback. A program that uses it should ignore SIGPIPE.
///
/// Every call throws ClientError, and std::invalid_argument for what could never work (no id, text
/// that is no JSON) before anything is sent. Every call ends by the end of its time, which also
/// passes while the machine sleeps.
class Client {
  public:
    struct Options {
        std::string url = {};        ///< as parse_server_url takes it
        std::string agent_key = {};  ///< for agent calls; empty: sent without Authorization
        std::string owner_key = {};  ///< for owner calls
        /// The time of one call in all, its retries included.
        std::chrono::milliseconds timeout{std::chrono::seconds(30)};
        /// Calls are ended as `interrupted` as soon as this descriptor is readable; -1: never.
        int interrupt_fd = -1;
        std::function<void(const Progress&)> progress = {};
        /// Submissions that the server has no room for (too_many_pending) are sent again until the
        /// time is over; false: they are refused at once.
        bool waits_for_room = true;
    };

    /// Throws std::invalid_argument for a URL that parse_server_url refuses or a key that cannot
    /// stand in a header. Does not connect.
    explicit Client(Options options);
    ~Client();
    Client(Client&&) noexcept;
    Client& operator=(Client&&) noexcept;

    /// A client that can submit: signs `agent` up if `options` hold neither an agent's nor an
    /// owner's key. Keep agent_key() then, the server shows it once.
    static Client create(Options options, const NewAgent& agent = {});

    /// No later call goes on past this moment; until then Options::timeout does not count. The time
    /// left is taken when this is called, and passes from then on also while the machine sleeps.
    void set_deadline(std::chrono::steady_clock::time_point deadline);
    void set_agent_key(std::string key);
    /// The key of agent calls; empty if there is none.
    std::string agent_key() const;
    /// The server's base URL, in the form of ServerUrl.
    const std::string& url() const;

    // --- agent calls ---

    /// POST /signup. The reply holds the new key as `api_key`; it is not yet used by this client.
    ///
    /// This and every other POST and DELETE below but execute, scope and dry_run are tried again,
    /// with back-off and until the time is over, only while it is certain that nothing was sent (no
    /// connection, no TLS). A request of which a byte may have left is never sent a second time:
    /// the error then has maybe_sent(), and so has that of an answer of 500 and above.
    Reply signup(const NewAgent& agent);
    Reply signup(std::string_view name);

    /// POST /execute: submits the skill once, however often the network fails.
    ///
    /// The request carries an Idempotency-Key (`idempotency_key`, a random one if that is empty)
    /// and is sent again with the same key and bytes after a broken connection, silence, 429 (not
    /// before its Retry-After) and 5xx, until the time is over. The error then names the key: a
    /// later call with the same key and request goes on where this one stopped.
    Submission execute(const ExecuteRequest& request, std::string idempotency_key = {});

    /// POST /scope with the given body, a JSON object as text. Retried as execute().
    Submission scope(std::string_view json, std::string idempotency_key = {});

    /// What would become of `request`: asks for no approval, leaves no row and runs nothing.
    /// Retried as execute(), but for want of room.
    DryRun dry_run(const ExecuteRequest& request);

    /// GET /execute/:id/status, once.
    RequestState status(std::string_view id, const Caller& caller = {});

    /// Waits (long poll) until the status is completed, failed, denied or, unless
    /// `options.until_final`, awaiting_secrets. Goes on with back-off after broken connections,
    /// silence, 429, 5xx and a sleep of the machine. Throws `timeout` at the end of its time, or
    /// `unreachable` if this client never had an answer of the server until then.
    RequestState poll(std::string_view id, const PollOptions& options = {});

    /// POST /execute/:id/cancel.
    Reply cancel(std::string_view id, const Caller& caller = {});

    /// execute(), then poll(). Progress tells the request's id and the URL to show to the human.
    RequestState execute_and_wait(const ExecuteRequest& request, const PollOptions& options = {},
                                  std::string idempotency_key = {});

    /// scope() with `scope_json` and, unless it has one, the request's code as its skill_code; then
    /// poll(), and if the scope is completed execute_and_wait() in its session. The idempotency key
    /// (a random one if that is empty) is used for both submissions.
    ScopedRun scope_and_execute(std::string_view scope_json, const ExecuteRequest& request,
                                const PollOptions& options = {}, std::string idempotency_key = {});

    // --- calls of agents, and of owners with as_owner() ---

    /// GET /sessions: the living ones.
    Reply sessions(const Caller& caller = {});
    /// GET /sessions/:id.
    Reply session(std::string_view id, const Caller& caller = {});
    /// POST /sessions/:id/narrow; `json` is an object with the parts to replace.
    Reply narrow_session(std::string_view id, std::string_view json, const Caller& caller = {});
    /// DELETE /sessions/:id. `reason` may be empty.
    Reply revoke_session(std::string_view id, std::string_view reason = {},
                         const Caller& caller = {});
    /// GET /trust: code that runs again without asking, newest first.
    Reply trust(const Caller& caller = {});
    /// DELETE /trust/:id: what it has approved and has not ended is stopped. The id tells whose it
    /// is, so a tenant of the caller does not count.
    Reply revoke_trust(std::string_view id, const Caller& caller = {});
    /// GET /me.
    Reply me(const Caller& caller = {});
    /// GET /history, newest first: one page of at most `limit` (0: the server's default) entries.
    Page history(int limit = 0, std::string_view before = {}, const Caller& caller = {});

    // --- owner calls ---

    /// GET /requests: one page of undecided requests; `before` is the `next` of the page before.
    Page pending(std::string_view before = {});
    /// GET /requests: one page of those that pass the filter.
    Page requests(const RequestFilter& filter);
    /// GET /requests/:id: all that a human has to see before deciding.
    Reply request(std::string_view id);
    struct Decision {
        bool approve = false;
        /// "once", "session", "24h", "forever"; empty: the server's default.
        std::string level = {};
        std::string reason = {};            ///< of a denial
        std::optional<bool> pin_args = {};  ///< trust these args only (wire 6.2)
        std::optional<bool> any_code = {};  ///< of a scope: code need not be known (wire 6.3)
        std::string narrow_json = {};       ///< an object: what to grant less (wire 7.4)
        /// That of the request that was looked at: refused if its session has changed since. Empty:
        /// whatever the session is now.
        std::string session_digest = {};
    };
    /// POST /requests/:id/backtest: which of its agent's last `limit` executions (0: the server's
    /// default) the approval of this request would have let through. An older server answers 404 or
    /// 405.
    Reply backtest(std::string_view id, int limit = 0);
    /// POST /requests/:id/decision. A request that was decided before is `refused` with the code
    /// "already_decided".
    Reply decide(std::string_view id, const Decision& decision);

    Reply tenants();                             ///< GET /tenants
    Reply create_tenant(std::string_view name);  ///< POST /tenants; the reply holds `api_key` once
    Reply keys(std::string_view tenant = {});    ///< GET /keys; empty: of all tenants
    /// POST /keys: one more key of `tenant`, which may be empty if there is only one. The reply
    /// holds `api_key` once.
    Reply create_key(std::string_view tenant = {});
    /// POST /keys: one more key of the owner itself. The reply holds `api_key` once.
    Reply create_owner_key();
    Reply revoke_key(std::string_view key_id);  ///< DELETE /keys/:id, at once

    /// GET /audit: one page of the ledger.
    Page audit(const AuditFilter& filter = {});

    // --- calls of the admin owner ---

    Reply owners();                             ///< GET /owners
    Reply create_owner(std::string_view name);  ///< POST /owners; the reply holds `api_key` once
    Reply invites();                            ///< GET /invites
    /// POST /invites: agents who sign up with it belong to the owner of the id `owner` (empty: the
    /// caller). 0 leaves a number to the server. The reply holds `invite` once.
    Reply create_invite(int max_uses = 0, std::chrono::seconds expires_in = {},
                        std::string_view owner = {});

    // --- calls without a key ---

    /// GET /health. A server that is up but cannot run anything is no error: its reply has the
    /// http_status 503.
    Reply health();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// POST /login-link over the unix socket in the data folder of a server on this machine, which
/// answers its own user only: a link that logs a browser in once. Throws as a call of Client.
LoginLink login_link(const std::string& socket_path,
                     std::chrono::milliseconds timeout = std::chrono::seconds(10));

}  // namespace oauth3
