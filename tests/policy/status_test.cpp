#include "policy/status.h"

#include "support/catch.h"

#include <map>
#include <set>
#include <string>

using namespace oauth3::policy;
using enum Status;

namespace {

/// Wire 5.4, written down once more: what may follow each state of an execution.
const std::map<Status, std::set<Status>> kExecution{
    {pending, {approved, denied, expired, cancelled}},
    {approved, {executing, failed, awaiting_secrets, denied, cancelled}},
    {awaiting_secrets, {approved, denied, expired, cancelled}},
    {executing, {completed, failed, cancelled}},
    {completed, {}},
    {failed, {}},
    {denied, {}},
    {expired, {}},
    {cancelled, {}},
};

/// A scope is decided and that is all.
const std::map<Status, std::set<Status>> kScope{
    {pending, {completed, denied, expired, cancelled}},
    {approved, {}},
    {awaiting_secrets, {}},
    {executing, {}},
    {completed, {}},
    {failed, {}},
    {denied, {}},
    {expired, {}},
    {cancelled, {}},
};

}  // namespace

TEST_CASE("all 81 pairs of states are legal exactly where the wire says so") {
    int pairs = 0;
    for (const Status from : kAllStatuses)
        for (const Status to : kAllStatuses) {
            CAPTURE(to_string(from), to_string(to));
            CHECK(may_become(Kind::execute, from, to) == (kExecution.at(from).count(to) == 1));
            CHECK(may_become(Kind::scope, from, to) == (kScope.at(from).count(to) == 1));
            ++pairs;
        }
    CHECK(pairs == 81);
}

TEST_CASE("the lists of next states say the same, without repeats") {
    for (const Status from : kAllStatuses) {
        const auto execution = next_statuses(Kind::execute, from);
        const auto scope = next_statuses(Kind::scope, from);
        CHECK(std::set<Status>(execution.begin(), execution.end()) == kExecution.at(from));
        CHECK(execution.size() == kExecution.at(from).size());
        CHECK(std::set<Status>(scope.begin(), scope.end()) == kScope.at(from));
        CHECK(scope.size() == kScope.at(from).size());
    }
}

TEST_CASE("a final state is one that nothing follows, and every other leads to one") {
    for (const Status from : kAllStatuses) {
        CHECK(is_final(from) == kExecution.at(from).empty());
        CHECK_FALSE(may_become(Kind::execute, from, from));
        CHECK(is_undecided(from) == (from == pending));
    }
    // Some state cannot be left without help, but each can be left towards an end.
    for (const Status from : kAllStatuses) {
        std::set<Status> reached{from};
        for (std::size_t before = 0; before != reached.size();) {
            before = reached.size();
            for (const Status s : std::set<Status>(reached))
                reached.insert(kExecution.at(s).begin(), kExecution.at(s).end());
        }
        CHECK(std::any_of(reached.begin(), reached.end(), [](Status s) { return is_final(s); }));
    }
}

TEST_CASE("on the wire, expired is denied and cancelled depends on the start") {
    struct Row {
        Status state;
        const char* waiting;
        const char* started;
        bool ends_poll;
    };
    const Row rows[] = {
        {pending, "pending", "pending", false},
        {approved, "approved", "approved", false},
        {awaiting_secrets, "awaiting_secrets", "awaiting_secrets", true},
        {executing, "executing", "executing", false},
        {completed, "completed", "completed", true},
        {failed, "failed", "failed", true},
        {denied, "denied", "denied", true},
        {expired, "denied", "denied", true},
        {cancelled, "denied", "failed", true},
    };
    for (const Row& row : rows) {
        CAPTURE(to_string(row.state));
        CHECK(wire_status(row.state, false) == row.waiting);
        CHECK(wire_status(row.state, true) == row.started);
        CHECK(ends_poll(row.state) == row.ends_poll);
    }
}

TEST_CASE("the words of states and kinds read back") {
    std::set<std::string_view> words;
    for (const Status status : kAllStatuses) {
        CHECK(parse_status(to_string(status)) == status);
        words.insert(to_string(status));
    }
    CHECK(words.size() == 9);
    for (const Kind kind : {Kind::execute, Kind::scope}) CHECK(parse_kind(to_string(kind)) == kind);
    for (const char* word : {"", "Pending", "pending ", "pending_scope", "?", "done"}) {
        CHECK_FALSE(parse_status(word));
        CHECK_FALSE(parse_kind(word));
    }
}
