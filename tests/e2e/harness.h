#pragma once

#include "base/json.h"
#include "e2e/process.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace oauth3::e2e {

using base::Json;

struct Call {
    std::string method = "GET";
    std::string path = "/";
    std::string key = {};   ///< sent as Authorization: Bearer, if not empty
    std::string body = {};  ///< sent as application/json unless `headers` say otherwise
    std::vector<std::string> headers = {};  ///< "Name: value"
    long timeout_ms = 60'000;
};

struct Reply {
    long status = 0;                                  ///< 0: no reply, see `problem`
    std::map<std::string, std::string> headers = {};  ///< names in lower case
    std::string body = {};
    std::string problem = {};

    /// The body as JSON; null if it is none.
    Json json() const;
    /// A member of the body as text; "" if it is absent or no text.
    std::string text(const char* member) const;
};

/// One HTTP call on a connection of its own. Never throws for what the server does.
Reply http(const std::string& base_url, const Call& call);

/// A request as it was submitted.
struct Submitted {
    std::string id;
    std::string token;
    std::string session;
    Json reply;
};

/// A server of its own in a temporary folder, as a process.
class Server {
  public:
    explicit Server(std::vector<std::string> options = {});
    ~Server();

    const std::string& url() const { return url_; }
    const std::string& owner_key() const { return owner_key_; }
    std::filesystem::path owner_key_file() const { return folder_ / "owner.key"; }
    std::filesystem::path data() const { return folder_ / "data"; }
    Process& process() { return *process_; }

    /// kill -9 of the server process alone; waits until it is gone.
    void kill9();
    /// SIGTERM; waits for the end.
    Ended stop();
    /// Starts again on the same folder, on the port of before if `same_port`.
    void start(bool same_port = false);

    Reply call(const Call& call) const { return http(url_, call); }
    Reply get(const std::string& path, const std::string& key = {}) const;
    Reply post(const std::string& path, const std::string& key, const Json& body) const;

    /// Signs up and returns the agent's key.
    std::string sign_up() const;
    /// POST /execute, which must answer 200. `more` adds members.
    Submitted submit(const std::string& key, const std::string& code, Json more = {}) const;
    Submitted submit_scope(const std::string& key, const Json& body) const;
    /// POST /requests/:id/decision by the owner.
    Reply decide(const std::string& id, const std::string& action, Json more = {}) const;
    /// Waits for a final status and returns the reply's document. Throws after kWatchdog.
    Json poll(const std::string& key, const std::string& id) const;
    /// Waits until the state is `state`.
    void wait_state(const std::string& key, const std::string& id, const std::string& state) const;
    /// Waits until a program really runs, as a process below the server; `count` of them.
    void wait_running(std::size_t count = 1) const;
    /// submit, approve, poll.
    Json run(const std::string& key, const std::string& code, Json more = {}) const;
    std::string state(const std::string& id) const;

    /// The program under test as a command line tool for this server, HOME being a folder of its
    /// own.
    std::unique_ptr<Process> cli(const std::vector<std::string>& arguments,
                                 std::map<std::string, std::string> environment = {}) const;
    const std::filesystem::path& folder() const { return folder_.path(); }

  private:
    Folder folder_;
    std::vector<std::string> options_;
    std::unique_ptr<Process> process_;
    std::string url_;
    std::string owner_key_;
};

/// A program that goes on until it is stopped.
inline constexpr const char* kEndless =
    "// @skill endless\n// @timeout 600\nsetInterval(() => {}, 1000);\n";

/// Writes `text` to `path`.
void write_file(const std::filesystem::path& path, const std::string& text);

}  // namespace oauth3::e2e
