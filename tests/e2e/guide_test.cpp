// The guide at GET /: its own commands, typed as they stand, do the whole job.

#include "e2e/harness.h"
#include "policy/phrases.h"
#include "support/catch.h"

#include <algorithm>

using namespace oauth3;
using namespace oauth3::e2e;

namespace {

/// The commands of the guide: each block between ```sh and ```, in order. The line in which the
/// reader is to put the key of the reply is left out.
std::vector<std::string> commands(const std::string& guide) {
    std::vector<std::string> out;
    const std::string begin = "```sh\n";
    for (std::size_t at = guide.find(begin); at != std::string::npos; at = guide.find(begin, at)) {
        at += begin.size();
        std::string block = guide.substr(at, guide.find("```", at) - at);
        if (const auto line = block.find("export KEY="); line != std::string::npos)
            block.erase(line, block.find('\n', line) - line);
        out.push_back(block);
    }
    return out;
}

class Reader {
  public:
    explicit Reader(const Server& server) : folder_(server.folder() / "reader") {
        std::filesystem::create_directories(folder_);
    }
    /// Types one block; its output as JSON.
    Json type(const std::string& block) {
        Process shell({"bash", "-c", "cd \"$FOLDER\"\n" + block},
                      {{"FOLDER", folder_.string()}, {"KEY", key}, {"STATUS_URL", status_url}});
        const Ended ended = shell.wait();
        CAPTURE(block, ended.out, ended.err);
        CHECK(ended.exit_code == 0);
        return ended.out.empty() ? Json() : base::parse_json(ended.out);
    }
    std::string key;
    std::string status_url;

  private:
    std::filesystem::path folder_;
};

}  // namespace

TEST_CASE("the guide's own commands do the whole job") {
    const Server server;
    const Reply reply = server.get("/");
    CHECK(reply.status == 200);
    CHECK(reply.headers.at("content-type") == "text/markdown; charset=utf-8");
    CHECK(reply.body.find("{{") == std::string::npos);
    CHECK(reply.body.find(server.url() + "/execute") != std::string::npos);
    const auto steps = commands(reply.body);
    REQUIRE(steps.size() == 5);

    Reader reader(server);
    const Json signed_up = reader.type(steps[0]);
    reader.key = signed_up["api_key"];
    reader.type(steps[1]);
    const Json submitted = reader.type(steps[2]);
    CHECK(submitted["status"] == "pending");
    reader.status_url = submitted["status_url"];
    const std::string id = submitted["request_id"];
    REQUIRE(server.decide(id, "approve").status == 200);
    Json status = reader.type(steps[3]);
    CHECK(status["status"] == "completed");
    CHECK(status["result"]["stdout"] == "hello world");

    const Json scope = reader.type(steps[4]);
    CHECK(scope["status"] == "pending_scope");
    CHECK(scope["warnings"] == Json::array());
    REQUIRE(server.decide(scope["request_id"], "approve").status == 200);
    // The same code in that session, as the guide says next.
    std::string again = steps[2];
    const std::string args = "{skill_code: $code,";
    again.replace(again.find(args), args.size(),
                  args + " session_id: \"" + scope["session_id"].get<std::string>() + "\",");
    const Json approved = reader.type(again);
    CHECK(approved["status"] == "approved");
    CHECK_FALSE(approved.contains("approval_url"));
    reader.status_url = approved["status_url"];
    CHECK(reader.type(steps[3])["result"]["stdout"] == "hello world");
}

TEST_CASE("the guide has every row of the table of phrases, and only those") {
    const Server server;
    const std::string guide = server.get("/").body;
    for (const policy::PhraseRow& row : policy::phrase_table()) {
        std::string forms(row.forms);
        for (std::size_t at = 0; (at = forms.find(" | ", at)) != std::string::npos;)
            forms.replace(at, 3, "`, `");
        const std::string start = "| `" + forms + "` | " + std::string(row.compiles) + " | ";
        CAPTURE(start);
        const std::size_t at = guide.find(start);
        REQUIRE(at != std::string::npos);
        const std::string rest = guide.substr(at + start.size(), guide.find('\n', at) - at);
        CHECK(rest.rfind(row.kind == policy::ConstraintClass::enforced ? "ENFORCED" : "PARTLY: ",
                         0) == 0);
        CHECK(rest.find(row.remark) != std::string::npos);
    }
    const std::size_t table = guide.find("| Text | Becomes | Class |");
    const std::string rows = guide.substr(table, guide.find("\n\n", table) - table);
    CHECK(static_cast<std::size_t>(std::count(rows.begin(), rows.end(), '\n')) ==
          policy::phrase_table().size() + 2);
}

TEST_CASE("the guide names nothing of what the server holds, and looks the same to everybody") {
    const Server server;
    const std::string key = server.sign_up();
    const Submitted scope = server.submit_scope(key, {{"description", "planted description"},
                                                      {"secrets", {"PLANTED_SECRET"}},
                                                      {"session_id", "planted-session"}});
    server.decide(scope.id, "approve");
    const std::string guide = server.get("/").body;
    for (const std::string& planted : {std::string("planted"), std::string("PLANTED"), scope.id,
                                       key, server.get("/me", key).text("tenant_id")})
        CHECK(guide.find(planted) == std::string::npos);
    CHECK(server.get("/", key).body == guide);
    CHECK(server.get("/", server.owner_key()).body == guide);
    CHECK(server.call({.method = "HEAD", .path = "/"}).status == 200);
}
