#pragma once

#include "base/crypto.h"
#include "base/json.h"
#include "client/stand_in.h"
#include "program.h"
#include "support/catch.h"

#include <fmt/format.h>

#include <atomic>

// What the tests of the human's commands have in common.

namespace oauth3::test {

using base::Json;

inline const std::string kId = "exec_00000000000000a1";
inline const std::string kCode = "// @skill hello\nconsole.log('\x1b[2K\xe2\x80\xae')\n";

inline Json request_document() {
    return {{"id", kId},
            {"kind", "execute"},
            {"status", "pending"},
            {"state", "pending"},
            {"tenant_id", "tenant_4b1f0c2d9e8a7f60"},
            {"agent", "friendly \x1b[31magent"},
            {"skill_id", "hello-skill"},
            {"description", "says hello"},
            {"session_id", "session_77"},
            {"secrets", {"GH_TOKEN", "OTHER_ONE"}},
            {"networks", {"api.example.org"}},
            {"timeout", 42},
            {"created_at", 1767225600000},
            {"expires_at", 1767312000000},
            {"code_hash", base::sha256_hex(kCode)},
            {"code", kCode},
            {"metadata", {{"skill", "hello"}, {"timeout", 30}}},
            {"args", {{"REPO", "o/r"}, {"N", 5}}},
            {"analysis", nullptr},
            {"policy_violations", {"new network: api.example.org"}},
            {"some_future_member", "future-value"}};
}

/// A server with one request that waits for a decision.
class OwnerServer {
  public:
    explicit OwnerServer(Json document = request_document())
        : document_(std::move(document)),
          server_([this](const HttpRequest& r) { return answer(r); }) {}
    std::string url() const { return server_.url(); }
    std::vector<std::string> words(std::vector<std::string> given) const {
        given.insert(given.end(), {"--url", url()});
        return given;
    }
    /// What POST /decision got.
    std::vector<std::string> decisions() const {
        std::vector<std::string> out;
        for (const HttpRequest& request : server_.requests())
            if (request.path() == "/requests/" + kId + "/decision") out.push_back(request.body);
        return out;
    }
    void answer_backtest(HttpReply reply) { backtest_ = std::move(reply); }
    std::string backtest_asked() const { return backtest_asked_; }
    std::size_t asked() const { return server_.requests().size(); }
    void change_after(int reads, Json document) {
        reads_left_ = reads;
        later_ = std::move(document);
    }

  private:
    HttpReply answer(const HttpRequest& request) {
        if (request.header("authorization") != "Bearer owner_key")
            return {.status = 403, .body = R"({"error":"No.","code":"owner_required"})"};
        if (request.path() == "/requests/" + kId + "/backtest") {
            backtest_asked_ = request.body;
            return backtest_;
        }
        if (request.path() == "/requests")
            return {.body = Json{{"requests", {document_}}, {"next", nullptr}}.dump()};
        if (request.method == "POST")
            return {.body = R"({"id":")" + kId + R"(","status":"approved","executing":true})"};
        if (later_.is_object() && reads_left_-- <= 0) return {.body = later_.dump()};
        return {.body = document_.dump()};
    }
    Json document_;
    HttpReply backtest_{.status = 404, .body = R"({"error":"No.","code":"not_found"})"};
    std::string backtest_asked_;
    std::atomic<int> reads_left_{0};
    Json later_;
    StandIn server_;
};

inline RunOptions owner(const PseudoTerminal* terminal = nullptr, bool out = false) {
    return {.environment = {{"OAUTH3_OWNER_KEY", "owner_key"}},
            .terminal = terminal == nullptr ? "" : terminal->name(),
            .terminal_out = out};
}

inline bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace oauth3::test
