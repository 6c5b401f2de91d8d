// What a thief of the disk finds: nothing that logs in, in no spelling, at no time.

#include "e2e/browser.h"
#include "e2e/harness.h"
#include "support/catch.h"

#include <array>
#include <fstream>
#include <iterator>

using namespace oauth3;
using namespace oauth3::e2e;

namespace {

namespace fs = std::filesystem;

/// The bytes that base64url text stands for.
std::string from_base64url(const std::string& text) {
    static const std::string kDigits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::string out;
    std::uint32_t bits = 0;
    int count = 0;
    for (const char c : text) {
        bits = bits << 6 | static_cast<std::uint32_t>(kDigits.find(c));
        if ((count += 6) < 8) continue;
        count -= 8;
        out += static_cast<char>(bits >> count & 0xff);
    }
    return out;
}

std::string to_hex(const std::string& bytes) {
    static constexpr std::string_view kHex = "0123456789abcdef";
    std::string out;
    for (const char c : bytes) {
        out += kHex[static_cast<unsigned char>(c) >> 4];
        out += kHex[static_cast<unsigned char>(c) & 15];
    }
    return out;
}

/// The random part of a key, link, cookie or invite in every spelling that leads back to it.
std::vector<std::string> spellings(const std::string& secret) {
    REQUIRE(secret.size() >= 43);
    const std::string random = secret.substr(secret.size() - 43);
    const std::string bytes = from_base64url(random);
    REQUIRE(bytes.size() == 32);
    return {random, bytes, to_hex(bytes)};
}

std::string slurp(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("conformance 3: no key, log-in link, cookie or invite lies on the disk in any spelling") {
    Server server;
    const Ended link =
        server.cli({"login-link", "--json", "--data-dir", server.data().string()})->wait();
    INFO(link.out << link.err);
    REQUIRE(link.exit_code == 0);
    const std::size_t once_at = link.out.find("once=");
    REQUIRE(once_at != std::string::npos);
    const std::string once = link.out.substr(once_at + 5, 43);
    const Ended unused =
        server.cli({"login-link", "--json", "--data-dir", server.data().string()})->wait();
    const std::string open = unused.out.substr(unused.out.find("once=") + 5, 43);

    Browser by_link(server);
    REQUIRE(by_link.log_in_by_link(once).status == 303);
    Browser by_key(server);
    REQUIRE(by_key.log_in_by_key(server.owner_key()).status == 303);
    Browser failed(server);
    const std::string wrong = "oauth3_owner_" + std::string(43, 'w');
    REQUIRE(failed.log_in_by_key(wrong).status == 401);
    const std::string agent = server.sign_up();
    const std::string revoked = server.sign_up();
    const Json me = server.get("/me", revoked).json();
    REQUIRE(server
                .call({.method = "DELETE",
                       .path = "/keys/" + me["key_id"].get<std::string>(),
                       .key = server.owner_key()})
                .status == 200);
    const std::string invite =
        server.post("/invites", server.owner_key(), Json::object()).text("invite");
    const Submitted made = server.submit(agent, "console.log('planted-here')\n");

    std::vector<std::pair<std::string, std::string>> planted;
    for (const auto& [name, secret] :
         std::vector<std::pair<std::string, std::string>>{{"owner's key", server.owner_key()},
                                                          {"agent's key", agent},
                                                          {"revoked key", revoked},
                                                          {"used link", once},
                                                          {"open link", open},
                                                          {"cookie by link", by_link.session()},
                                                          {"cookie by key", by_key.session()},
                                                          {"invite", invite},
                                                          {"key of a failed log-in", wrong}})
        for (const std::string& spelling : spellings(secret)) planted.emplace_back(name, spelling);
    for (Browser* browser : {&by_link, &by_key}) {
        REQUIRE(browser->csrf().size() >= 32);
        planted.emplace_back("CSRF value", browser->csrf());
    }
    planted.emplace_back("approval token", made.token);

    const auto look = [&](const fs::path& folder) {
        bool found_what_is_there = false;
        for (const auto& entry : fs::recursive_directory_iterator(folder)) {
            if (!entry.is_regular_file() || entry.path().filename() == "deno") continue;
            const std::string bytes = slurp(entry.path());
            found_what_is_there =
                found_what_is_there || bytes.find("planted-here") != std::string::npos;
            for (const auto& [name, spelling] : planted) {
                INFO(name << " in " << entry.path());
                CHECK(bytes.find(spelling) == std::string::npos);
            }
        }
        // Otherwise the search would find nothing wherever it is.
        CHECK(found_what_is_there);
    };
    REQUIRE(slurp(server.data() / "oauth3.db-wal").size() > 0);
    look(server.data());
    const fs::path copies = server.folder() / "copies";
    fs::create_directory(copies);
    const Ended copied =
        server.cli({"backup", (copies / "copy").string(), "--data-dir", server.data().string()})
            ->wait();
    INFO(copied.err);
    REQUIRE(copied.exit_code == 0);
    look(copies);
    const Ended ended = server.stop();
    look(server.data());
    for (const auto& [name, spelling] : planted) {
        INFO(name << " in the log");
        CHECK((ended.err + ended.out).find(spelling) == std::string::npos);
    }
}
