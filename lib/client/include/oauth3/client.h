#pragma once

// The C++ client of an oauth3 server: agent calls (sign up, submit, wait) and owner calls (list,
// read, decide). It stands alone: standard types only, every JSON document as UTF-8 text.

#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace oauth3 {

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
    int http_status = 0;      ///< 0: no answer
    std::string code = {};    ///< wire 1.5, such as "already_decided"; may be empty
    std::string hint = {};    ///< what to do next; may be empty
    std::string json = {};    ///< the server's whole error document; may be empty
    bool maybe_sent = false;  ///< a POST broke off after bytes of it had left
};

/// What every call of Client throws, but for std::invalid_argument for an argument that could
/// never work (no id, args that are no JSON). `what()` is one sentence; it may hold text of the
/// server, so make control characters visible before a human sees it. Never holds a key.
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

  private:
    ClientErrorKind kind_;
    ClientErrorDetails details_;
};

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

/// True iff `id` can be a request's id: 1 to 64 of [A-Za-z0-9_-].
bool is_request_id(std::string_view id);

/// What happens while a call takes its time.
struct Progress {
    enum class Kind {
        status,  ///< `text` is the request's new status
        retry,   ///< `text` says what failed; the call is tried again after `delay`
    };
    Kind kind = Kind::status;
    std::string text;
    std::chrono::milliseconds delay{0};
};

/// An answer of 2xx.
struct Reply {
    int http_status = 0;
    std::string json;  ///< the document as the server sent it, checked to be one JSON object
};

/// The body of POST /execute. Empty members are left out.
struct ExecuteRequest {
    std::string skill_id = {};
    std::string skill_code = {};
    std::vector<std::string> secrets = {};
    std::string args_json = {};  ///< a JSON object as text
    std::string session_id = {};
};

/// The answer to POST /execute and POST /scope.
struct Submission {
    Reply reply;
    std::string request_id;
    std::string status;
    std::string session_id;
    std::string approval_url;  ///< empty if nobody has to be asked
};

/// The answer to GET /execute/:id/status.
struct RequestState {
    Reply reply;
    std::string request_id;
    std::string status;  ///< as on the wire: "pending", "completed", ...
    std::string session_id;
    std::string approval_url;
};

/// Talks to one server. Not for use by several threads at once. Redirects are not followed, TLS
/// certificates are always verified (against $SSL_CERT_FILE if set), proxies of the environment
/// are used except for loopback. A program that uses it should ignore SIGPIPE.
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
    };

    /// Throws std::invalid_argument for a URL that parse_server_url refuses or a key that cannot
    /// stand in a header. Does not connect.
    explicit Client(Options options);
    ~Client();
    Client(Client&&) noexcept;
    Client& operator=(Client&&) noexcept;

    /// No later call goes on past this moment; until then Options::timeout does not count.
    void set_deadline(std::chrono::steady_clock::time_point deadline);
    void set_agent_key(std::string key);

    // --- agent calls ---

    /// POST /signup. The reply holds the new key as `api_key`.
    ///
    /// This and the other POSTs below are tried again, with back-off and until the time is over,
    /// only while it is certain that nothing of the request was sent (no connection, no TLS).
    /// A request of which a byte has left is never sent a second time: the error then has
    /// maybe_sent(), and the human may see a request that nobody waits for.
    Reply signup(std::string_view name);

    /// POST /execute. An empty `idempotency_key` means a random one.
    Submission execute(const ExecuteRequest& request, std::string idempotency_key = {});

    /// POST /scope with the given body, a JSON object as text.
    Submission scope(std::string_view json, std::string idempotency_key = {});

    /// GET /execute/:id/status, once.
    RequestState status(std::string_view id);

    /// Waits (long poll) until the status is completed, failed, denied or awaiting_secrets, and
    /// goes on with back-off after network errors, 429 and 5xx. Throws `timeout` at the end of its
    /// time, or `unreachable` if this client never had an answer of the server until then.
    RequestState poll(std::string_view id);

    /// POST /execute/:id/cancel, once.
    Reply cancel(std::string_view id);

    // --- owner calls ---

    /// GET /requests: one page of undecided requests; `before` is the `next` of the page before.
    Reply pending(std::string_view before = {});

    /// GET /requests/:id: all that a human has to see before deciding.
    Reply request(std::string_view id);

    struct Decision {
        bool approve = false;
        std::string level = {};   ///< "once", "session"; empty: the server's default
        std::string reason = {};  ///< of a denial
    };
    /// POST /requests/:id/decision, once. A request that was decided before is `refused` with the
    /// code "already_decided".
    Reply decide(std::string_view id, const Decision& decision);

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace oauth3
