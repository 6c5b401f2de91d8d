// Bound to an address that others can reach, in a network of its own.

#include "base/files.h"
#include "e2e/harness.h"
#include "support/catch.h"

#include <csignal>

using namespace oauth3;
using namespace oauth3::e2e;

namespace {

/// An address of no interface of this machine (RFC 5737).
constexpr const char* kAddress = "192.0.2.7";

Ended run(const std::vector<std::string>& argv) {
    return Process(argv).wait();
}

}  // namespace

TEST_CASE("conformance 2: sign-up is closed by default on any other bind than loopback") {
    const Folder folder;
    const std::string certificate = folder / "cert.pem";
    const std::string key = folder / "cert.key";
    REQUIRE(run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                 "-nodes", "-days", "2", "-subj", "/CN=remote", "-addext",
                 std::string("subjectAltName=IP:") + kAddress, "-keyout", key, "-out", certificate})
                .exit_code == 0);
    const std::string url = std::string("https://") + kAddress + ":3737";
    const std::string script =
        std::string("ip link set lo up && ip addr add ") + kAddress + "/32 dev lo && exec \"$@\"";
    Process server({"unshare",
                    "--map-root-user",
                    "--net",
                    "sh",
                    "-c",
                    script,
                    "sh",
                    program(),
                    "serve",
                    "--listen",
                    std::string(kAddress) + ":3737",
                    "--public-url",
                    url,
                    "--tls-cert",
                    certificate,
                    "--tls-key",
                    key,
                    "--data-dir",
                    (folder / "data").string(),
                    "--owner-key-out",
                    (folder / "owner").string()});
    server.wait_line("listening on " + url);
    const auto curl = [&](std::vector<std::string> more) {
        std::vector<std::string> argv{"nsenter", "--user",   "--preserve-credentials",
                                      "--net",   "--target", std::to_string(server.pid()),
                                      "curl",    "-sS",      "--noproxy",
                                      "*",       "--cacert", certificate};
        argv.insert(argv.end(), more.begin(), more.end());
        return run(argv);
    };
    const Ended signup = curl({"-w", " %{http_code}", "-H", "Content-Type: application/json", "-d",
                               R"({"name":"agent"})", url + "/signup"});
    INFO(signup.out << signup.err << server.err());
    REQUIRE(signup.exit_code == 0);
    CHECK(signup.out.ends_with(" 403"));
    const Json reply = base::parse_json(signup.out.substr(0, signup.out.rfind(' ')));
    CHECK(reply["code"] == "signup_closed");
    CHECK(base::parse_json(curl({url + "/health"}).out)["signup"] == "closed");
    // The human adds agents instead.
    std::string owner = base::read_file(folder / "owner");
    owner.pop_back();
    const Ended tenant =
        curl({"-H", "Authorization: Bearer " + owner, "-H", "Content-Type: application/json", "-d",
              R"({"name":"robot"})", url + "/tenants"});
    INFO(tenant.out << tenant.err);
    CHECK(base::parse_json(tenant.out)["name"] == "robot");
    server.send_signal(SIGTERM);
    CHECK(server.wait().exit_code == 0);
}
