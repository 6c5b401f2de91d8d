#pragma once

#include "base/json.h"
#include "client/stand_in.h"
#include "program.h"
#include "support/catch.h"

#include <fmt/format.h>

// What the tests of agents' commands have in common.

namespace oauth3::test {

using base::Json;

inline const std::string kExec = "exec_00000000000000a1";
inline const std::string kScope = "scope_00000000000000b2";
inline const std::string kUrl = "http://127.0.0.1:1/approve/x?token=0123";

/// The one document that stdout must hold.
inline Json document_of(const Finished& done) {
    INFO("stdout: " << done.out << "\nstderr: " << done.err);
    REQUIRE(!done.out.empty());
    CHECK(done.out.find('\n') == done.out.size() - 1);
    return base::parse_json(done.out);
}

/// A server that takes anything and says of every execution that it is `state`.
inline StandIn::Handler answering(const std::string& state, const std::string& scope_state) {
    return [=](const HttpRequest& request) -> HttpReply {
        const auto submitted = [](const std::string& id, const char* status) {
            return HttpReply{
                .body = fmt::format(
                    R"({{"request_id":"{}","status":"{}","session_id":"s1","approval_url":"{}"}})",
                    id, status, kUrl)};
        };
        if (request.path() == "/execute") return submitted(kExec, "pending");
        if (request.path() == "/scope") return submitted(kScope, "pending_scope");
        if (request.path() == "/execute/" + kExec + "/status")
            return {.body = fmt::format(R"({{"request_id":"{}",{}}})", kExec, state)};
        if (request.path() == "/execute/" + kScope + "/status")
            return {.body = fmt::format(R"({{"request_id":"{}","session_id":"s2",{}}})", kScope,
                                        scope_state)};
        return {.status = 404, .body = R"({"error":"No.","code":"not_found"})"};
    };
}

inline StandIn::Handler answering(const std::string& state) {
    return answering(state, state);
}

inline std::vector<std::string> with_server(const StandIn& server, std::vector<std::string> words) {
    words.insert(words.end(), {"--url", server.url()});
    return words;
}

inline const RunOptions kKey{.environment = {{"OAUTH3_API_KEY", "oauth3_test_key"}}};

}  // namespace oauth3::test
