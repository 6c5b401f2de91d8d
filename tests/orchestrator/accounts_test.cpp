// Who there is, and what an owner may do with whom: keys, tenants, owners, invites.
#include "base/crypto.h"
#include "orchestrator/people.h"
#include "support/catch.h"

using namespace oauth3::test;
using namespace oauth3::orchestrator;
namespace base = oauth3::base;
namespace store = oauth3::store;

namespace {

bool has_key(const std::vector<store::KeyRow>& rows, const std::string& id) {
    return std::any_of(rows.begin(), rows.end(), [&](const auto& row) { return row.id == id; });
}

}  // namespace

TEST_CASE("the owner is made once its key was delivered, and keys are kept as hashes only") {
    People people;
    CHECK_FALSE(people.accounts.has_owner());
    CHECK_THROWS(people.accounts.sign_up("agent", std::nullopt));
    CHECK_THROWS(people.accounts.create_server_owner(
        [](const auto&) { throw base::Error("x", "the disk is full"); }));
    CHECK_FALSE(people.accounts.has_owner());
    std::string key;
    people.accounts.create_server_owner(
        [&](const auto& made) { key = std::string(made.reveal()); });
    CHECK(people.accounts.has_owner());
    CHECK(key.size() == std::string("oauth3_owner_").size() + 43);
    const auto owner = people.access.authenticate(key);
    REQUIRE(owner.has_value());
    CHECK(owner->role == Role::admin);

    const NewTenant agent = people.accounts.sign_up("n", "e@x.example");
    const std::string agent_key(agent.key.key.reveal());
    CHECK(agent_key.starts_with("oauth3_" + agent.row.id.substr(7) + "_"));
    CHECK(agent_key.size() == 7 + 16 + 1 + 43);
    const auto who = people.access.authenticate(agent_key);
    REQUIRE(who.has_value());
    CHECK(who->is_agent());
    CHECK(who->tenant_id == agent.row.id);
    CHECK(who->owner_id == owner->owner_id);
    CHECK(people.access.tenant_name(agent.row.id) == "n");
    for (const std::string& wrong : {std::string(), key + "x", key.substr(1), agent_key + "\n",
                                     base::sha256_hex(key), std::string(key) + '\0'})
        CHECK_FALSE(people.access.authenticate(wrong));

    const std::string bytes = people.bytes();
    for (const std::string& secret : {key, agent_key, std::string(32, 'k')})
        CHECK(bytes.find(secret.substr(secret.size() - 20)) == std::string::npos);
    CHECK(contradictions(people.database).empty());
}

TEST_CASE("tokens of approval links open one page; a seal is never such a token") {
    People people;
    const std::string token = people.access.approval_token("exec_1");
    CHECK(base::is_lower_hex(token, 64));
    CHECK(people.access.opens(token, "exec_1"));
    CHECK_FALSE(people.access.opens(token, "exec_2"));
    CHECK_FALSE(people.access.opens("", "exec_1"));
    CHECK_FALSE(people.access.opens(token + "0", "exec_1"));
    CHECK(people.access.seal("csrf", "exec_1") != token);
    CHECK(people.access.seal("csrf", "a") != people.access.seal("other", "a"));
    CHECK_FALSE(people.access.opens(people.access.seal("csrf", "exec_1"), "exec_1"));
}

TEST_CASE("an owner sees and revokes the keys of its own, at once") {
    People people;
    const Principal first = people.server_owner();
    const NewOwner made = people.accounts.create_owner(first, "second");
    const Principal second = people.as(made.key.key);
    CHECK(second.role == Role::owner);
    const NewTenant mine = people.accounts.create_tenant(first, "mine");
    const NewTenant theirs = people.accounts.create_tenant(second, "theirs");

    CHECK(people.accounts.tenants(first).size() == 1);
    CHECK(people.accounts.tenants(second).size() == 1);
    CHECK_FALSE(people.accounts.tenant(first, theirs.row.id));
    CHECK_FALSE(people.accounts.create_key(first, theirs.row.id));
    CHECK_FALSE(people.accounts.revoke_key(first, theirs.key.row.id));
    CHECK_FALSE(people.accounts.revoke_key(first, made.key.row.id));
    CHECK(people.access.authenticate(theirs.key.key.reveal()));
    CHECK_FALSE(has_key(people.accounts.keys(first, std::nullopt), theirs.key.row.id));

    const auto extra = people.accounts.create_key(first, mine.row.id);
    REQUIRE(extra);
    CHECK(people.as(extra->key).tenant_id == mine.row.id);
    const Principal caller = people.as(extra->key);
    CHECK(people.access.still_valid(caller));
    CHECK(people.accounts.revoke_key(first, extra->row.id));
    CHECK_FALSE(people.access.authenticate(extra->key.reveal()));
    CHECK_FALSE(people.access.still_valid(caller));
    CHECK_FALSE(people.accounts.revoke_key(first, extra->row.id));
    CHECK(people.access.authenticate(mine.key.key.reveal()));
    CHECK(people.accounts.keys(first, mine.row.id).size() == 2);

    const NewKey own = people.accounts.create_owner_key(second);
    CHECK(people.as(own.key).role == Role::owner);
    CHECK(people.accounts.revoke_key(second, made.key.row.id));
    CHECK_FALSE(people.access.authenticate(made.key.key.reveal()));
    const std::vector<std::string> told = people.actions(second.owner_id);
    CHECK(std::count(told.begin(), told.end(), "key.revoked") == 1);
    CHECK(contradictions(people.database).empty());
}

TEST_CASE("an invite makes as many tenants of its owner as it says, until it is too old") {
    People people;
    const Principal admin = people.server_owner();
    const NewOwner other = people.accounts.create_owner(admin, "other");
    const auto invite = people.accounts.create_invite(admin, other.row.id, 2, base::Seconds(3600));
    REQUIRE(invite);
    CHECK_FALSE(people.accounts.create_invite(admin, "owner_none", 1, base::Seconds(3600)));
    const std::string text(invite->invite.reveal());
    CHECK(people.bytes().find(text.substr(text.size() - 20)) == std::string::npos);

    const auto join = [&](const std::string& with) {
        return people.accounts.sign_up_by_invite("a", std::nullopt, with);
    };
    CHECK_FALSE(join(""));
    CHECK_FALSE(join(text + "x"));
    CHECK_FALSE(join(invite->row.hash));
    const auto first = join(text);
    REQUIRE(first);
    CHECK(first->row.owner_id == other.row.id);
    CHECK(people.as(first->key.key).owner_id == other.row.id);
    people.clock.move(base::Seconds(3599));
    CHECK(join(text));
    CHECK_FALSE(join(text));
    CHECK(people.accounts.invites().front().uses == 2);

    const auto late = people.accounts.create_invite(admin, other.row.id, 9, base::Seconds(60));
    people.clock.move(base::Seconds(60));
    CHECK_FALSE(join(std::string(late->invite.reveal())));
    CHECK(people.accounts.tenants(people.as(other.key.key)).size() == 2);
}

TEST_CASE("the tenant of calls without a key is made once and belongs to the server's owner") {
    People people;
    CHECK_THROWS(people.accounts.dev_agent());
    const Principal owner = people.server_owner();
    const Principal dev = people.accounts.dev_agent();
    CHECK(dev.is_agent());
    CHECK(dev.tenant_id == kDevTenant);
    CHECK(dev.owner_id == owner.owner_id);
    CHECK(people.accounts.dev_agent().tenant_id == dev.tenant_id);
    CHECK(people.accounts.tenants(owner).size() == 1);
    CHECK(people.access.still_valid(dev));
}
