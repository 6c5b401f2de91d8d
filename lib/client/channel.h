#pragma once

#include "base/json.h"
#include "base/secret_string.h"
#include "client/transport.h"

#include <oauth3/client.h>

#include <optional>
#include <string>
#include <string_view>

// Calls of one server: which key, what may be sent again, until when, and what went wrong.

namespace oauth3::client {

using base::Json;

enum class Key { none, agent, owner };

/// When a call that brought no answer is made again.
enum class Repeat {
    never,
    unsent,  ///< while it is certain that the server saw nothing of it
    always,  ///< also in doubt, and after answers that another try may better
};

struct Call {
    std::string method = "GET";
    std::string path = {};  ///< with its query, percent-encoded
    Key key = Key::none;
    std::string body = {};
    std::string idempotency_key = {};
    Repeat repeat = Repeat::never;
    std::string request_id = {};   ///< which request it is about, for errors
    bool may_be_degraded = false;  ///< a 503 is an answer too
    bool leaves_no_trace = false;  ///< whether it arrived does not matter
    bool waits_for_room = true;    ///< tried again after too_many_pending, if at all
};

/// A good answer. `server` names who gave it, for errors about what it lacks.
struct Answer {
    Reply reply;
    Json document;
    std::string server;
    std::string request_id = {};  ///< as in Call
};

/// True iff `text` can be sent as a key, or is empty.
bool fits_header(std::string_view text);

/// Throws: the answer lacks a good `member`.
[[noreturn]] void lacks(const Answer& answer, const char* member);

/// Not for several threads at once.
class Channel {
  public:
    /// `socket`: if not empty, the server is reached over this unix socket.
    explicit Channel(Client::Options options, std::string socket = {},
                     const Clocks& clocks = system_clocks());

    /// Makes the call, again if it may be, and reads the answer. Throws ClientError.
    Answer call(const Call& call);

    /// One try, which ends at `end`. Never throws for what the server or the network does.
    Outcome attempt(const Call& call, Moment end);
    /// True iff another try may do better.
    static bool is_transient(const Outcome& outcome);
    /// What went wrong, for progress: "cannot reach URL: why", or what the server says.
    std::string describe(const Outcome& outcome) const;
    /// The answer in an outcome. Throws ClientError for a refusal or what is no answer.
    /// `maybe_sent`: this or an earlier try of the same call may have arrived.
    Answer read(Outcome outcome, const Call& call, bool maybe_sent) const;
    /// Waits between two tries, at most until `end`: `delay`, or as long as the outcome of the
    /// first one asks for. Reports `reason` unless it is empty. Throws if it is interrupted.
    void pause(std::string reason, const Outcome& outcome, std::chrono::milliseconds delay,
               Moment end, const Call& call) const;

    void report(const Progress& progress) const;
    Moment now() const { return clocks_->now(); }
    /// Some answer came, or a connection was up long enough to wait in vain for one.
    bool reached() const { return reached_; }
    const std::string& server() const { return server_; }
    const std::string& base_url() const { return base_url_; }
    bool waits_for_room() const { return waits_for_room_; }

    void set_deadline(std::chrono::steady_clock::time_point deadline);
    void set_agent_key(std::string key);
    std::string agent_key() const { return std::string(agent_key_.reveal()); }
    bool has_key() const { return !agent_key_.empty() || !owner_key_.empty(); }

    /// While one lives, all calls share the time of one call.
    class OneTime {
      public:
        explicit OneTime(Channel& channel);
        ~OneTime();
        OneTime(const OneTime&) = delete;
        OneTime& operator=(const OneTime&) = delete;
        Moment end() const { return *channel_.shared_end_; }

      private:
        Channel& channel_;
        bool outermost_;
    };

  private:
    [[noreturn]] void fail(const Outcome& outcome, const Call& call, bool maybe_sent) const;
    [[noreturn]] void refuse(const Outcome& outcome, const Call& call,
                             const std::optional<Json>& document, bool maybe_sent) const;

    std::string base_url_;
    std::string server_;  ///< as errors name it
    base::SecretString agent_key_;
    base::SecretString owner_key_;
    std::chrono::milliseconds timeout_;
    bool waits_for_room_;
    std::function<void(const Progress&)> progress_;
    const Clocks* clocks_;
    std::optional<Moment> deadline_;
    std::optional<Moment> shared_end_;
    Transport transport_;
    bool reached_ = false;
};

}  // namespace oauth3::client
