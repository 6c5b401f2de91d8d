// The check-up from outside: what it prints, and that neither it nor the server accepts a machine
// on which the sandbox does not hold.
#include "e2e/harness.h"
#include "support/catch.h"

#include <map>

using namespace oauth3;
using namespace oauth3::e2e;

namespace {

std::map<std::string, std::string> verdicts(const Json& document) {
    std::map<std::string, std::string> out;
    for (const Json& finding : document.at("findings"))
        out[finding.at("name")] = finding.at("verdict");
    return out;
}

/// Runs the program where no user namespace can be made: in one of its own, with that switched off
/// below it.
Ended without_namespaces(const std::vector<std::string>& arguments) {
    std::vector<std::string> words{
        "/usr/bin/unshare",
        "--user",
        "--map-root-user",
        "/bin/sh",
        "-c",
        "echo 0 > /proc/sys/user/max_user_namespaces && exec \"$0\" \"$@\"",
        program()};
    words.insert(words.end(), arguments.begin(), arguments.end());
    return Process(words, {}).wait();
}

}  // namespace

TEST_CASE("the doctor tells of each protection, and that programs would be run") {
    const Folder folder;
    const Ended done =
        Process({program(), "doctor", "--json", "--data-dir", folder / "data"}, {}).wait();
    INFO(done.out << done.err);
    REQUIRE(done.exit_code == 0);
    const Json document = base::parse_json(done.out);
    CHECK(document["ok"] == true);
    const auto of = verdicts(document);
    for (const char* name : {"sandbox", "files", "processes", "network", "privileges",
                             "system-calls", "disk", "deadline", "deno"}) {
        INFO(name);
        CHECK(of.at(name) == "yes");
    }
    for (const char* name : {"landlock", "user", "memory", "tasks", "cpu-share"}) {
        INFO(name);
        CHECK(of.at(name) != "no");
    }
}

TEST_CASE("where the sandbox cannot be made, doctor and serve say why and run nothing") {
    const Ended doctor = without_namespaces({"doctor", "--json"});
    INFO(doctor.out << doctor.err);
    CHECK(doctor.exit_code == 1);
    const Json document = base::parse_json(doctor.out);
    CHECK(document["ok"] == false);
    const Json& first = document["findings"][0];
    CHECK(first["name"] == "sandbox");
    CHECK(first["verdict"] == "no");
    CHECK(first["mend"].get<std::string>().find("user.max_user_namespaces") != std::string::npos);

    const Folder folder;
    const Ended serve = without_namespaces({"serve", "--listen", "127.0.0.1:0", "--data-dir",
                                            folder / "data", "--owner-key-out", folder / "key"});
    INFO(serve.err);
    CHECK(serve.exit_code == 1);
    CHECK(serve.err.find("the sandbox does not hold") != std::string::npos);
    CHECK(serve.err.find("user.max_user_namespaces") != std::string::npos);
    CHECK(serve.err.find("--allow-weak-sandbox=sandbox") != std::string::npos);
    CHECK_FALSE(std::filesystem::exists(folder / "data"));
}
