// The browsers of owners: log-in by key and by link, how long it lasts, what ends it.
#include "orchestrator/logins.h"

#include "base/crypto.h"
#include "orchestrator/people.h"
#include "support/catch.h"

using namespace oauth3::test;
using namespace oauth3::orchestrator;
namespace base = oauth3::base;
namespace store = oauth3::store;

namespace {

struct Browsers : People {
    Logins logins{database, access, clock};
    std::string owner_key;

    Browsers() {
        accounts.create_server_owner(
            [this](const auto& key) { owner_key = std::string(key.reveal()); });
    }
    bool in(const Login& login) { return logins.authenticate(login.cookie.reveal()).has_value(); }
};

}  // namespace

TEST_CASE("an owner's key logs in, an agent's key and anything else does not") {
    Browsers b;
    const auto login = b.logins.by_key(b.owner_key);
    REQUIRE(login);
    const auto who = b.logins.authenticate(login->cookie.reveal());
    REQUIRE(who);
    CHECK(who->role == Role::admin);
    CHECK(who->via == Via::cookie);
    CHECK(who->csrf == login->csrf);
    CHECK(base::is_lower_hex(login->csrf, 64));
    CHECK(login->cookie.reveal().size() == 43);

    const NewTenant agent = b.accounts.sign_up("a", std::nullopt);
    CHECK_FALSE(b.logins.by_key(agent.key.key.reveal()));
    CHECK_FALSE(b.logins.by_key(""));
    CHECK_FALSE(b.logins.by_key(b.owner_key + " "));
    CHECK_FALSE(b.logins.by_key(login->cookie.reveal()));
    for (const std::string& wrong : {std::string(), std::string(43, 'A'), b.owner_key,
                                     base::sha256_hex(login->cookie.reveal()), login->csrf})
        CHECK_FALSE(b.logins.authenticate(wrong));
    // The cookie is no key.
    CHECK_FALSE(b.access.authenticate(login->cookie.reveal()));
}

TEST_CASE("each log-in has a cookie and a CSRF value of its own, kept as hashes only") {
    Browsers b;
    const auto one = b.logins.by_key(b.owner_key);
    const auto two = b.logins.by_key(b.owner_key);
    const LoginLink link = b.logins.make_link();
    CHECK(one->cookie.reveal() != two->cookie.reveal());
    CHECK(one->csrf != two->csrf);
    const std::string bytes = b.bytes();
    for (const std::string_view secret : {one->cookie.reveal(), two->cookie.reveal(),
                                          std::string_view(one->csrf), link.once.reveal()})
        CHECK(bytes.find(secret.substr(0, 20)) == std::string::npos);
}

TEST_CASE("conformance 10: a link works once, not after ten minutes, and asking does not use it") {
    Browsers b;
    const LoginLink link = b.logins.make_link();
    const std::string once(link.once.reveal());
    CHECK(b.logins.is_open(once));
    CHECK(b.logins.is_open(once));
    CHECK_FALSE(b.logins.is_open(once + "x"));
    b.clock.move(base::Seconds(599));
    CHECK(b.logins.is_open(once));
    const auto login = b.logins.by_link(once);
    REQUIRE(login);
    CHECK(b.in(*login));
    CHECK_FALSE(b.logins.is_open(once));
    CHECK_FALSE(b.logins.by_link(once));

    const LoginLink late = b.logins.make_link();
    b.clock.move(base::Seconds(600));
    CHECK_FALSE(b.logins.is_open(late.once.reveal()));
    CHECK_FALSE(b.logins.by_link(late.once.reveal()));
}

TEST_CASE("a log-in ends after twelve idle hours, and after seven days however much it is used") {
    Browsers b;
    const auto idle = b.logins.by_key(b.owner_key);
    b.clock.move(base::Seconds(12 * 3600 - 1));
    CHECK(b.in(*idle));  // and this counts as use
    b.clock.move(base::Seconds(12 * 3600 - 1));
    CHECK(b.in(*idle));
    b.clock.move(base::Seconds(12 * 3600));
    CHECK_FALSE(b.in(*idle));

    const auto busy = b.logins.by_key(b.owner_key);
    for (int hour = 0; hour < 7 * 24 - 1; ++hour) {
        b.clock.move(base::Seconds(3600));
        REQUIRE(b.in(*busy));
    }
    b.clock.move(base::Seconds(3600));
    CHECK_FALSE(b.in(*busy));
}

TEST_CASE("a browser is logged in also while nothing can be written") {
    Browsers b;
    const auto login = b.logins.by_key(b.owner_key);
    b.clock.move(base::Seconds(120));
    b.database.sqlite().exec("PRAGMA query_only = ON");
    CHECK(b.in(*login));
    b.database.sqlite().exec("PRAGMA query_only = OFF");
    CHECK(b.in(*login));
}

TEST_CASE("log-out ends one log-in; revoking the key ends those that were made with it") {
    Browsers b;
    const auto one = b.logins.by_key(b.owner_key);
    const auto two = b.logins.by_key(b.owner_key);
    const LoginLink link = b.logins.make_link();
    const auto by_link = b.logins.by_link(link.once.reveal());
    b.logins.end(one->cookie.reveal());
    CHECK_FALSE(b.in(*one));
    CHECK(b.in(*two));
    b.logins.end("unknown");

    const Principal owner = *b.access.authenticate(b.owner_key);
    REQUIRE(b.accounts.revoke_key(owner, owner.key_id));
    CHECK_FALSE(b.in(*two));
    CHECK(b.in(*by_link));
    b.clock.move(base::Seconds(8 * 86400));
    b.logins.purge();
    CHECK(b.database.sqlite().execAndGet("SELECT count(*) FROM logins").getInt() == 0);
    CHECK(contradictions(b.database).empty());
}
