#include "base/memo.h"

#include "support/catch.h"

#include <string>

using oauth3::base::Memo;

TEST_CASE("a memo gives back what it was given, at that generation only", "[base]") {
    Memo<int> memo(10);
    CHECK(memo.find("a", 1) == nullptr);
    memo.put("a", 1, 7);
    memo.put("b", 1, 8);
    REQUIRE(memo.find("a", 1) != nullptr);
    CHECK(*memo.find("a", 1) == 7);
    CHECK(*memo.find("b", 1) == 8);
    CHECK(memo.find("", 1) == nullptr);
    CHECK(memo.find("a", 2) == nullptr);
    CHECK(memo.find("a", 0) == nullptr);

    memo.put("c", 2, 9);
    CHECK(memo.find("a", 2) == nullptr);
    CHECK(memo.find("a", 1) == nullptr);
    CHECK(*memo.find("c", 2) == 9);
    memo.put("c", 2, 10);
    CHECK(*memo.find("c", 2) == 10);
}

TEST_CASE("a memo never holds more than it may", "[base]") {
    Memo<int> memo(3);
    for (int i = 0; i < 100; ++i) {
        memo.put(std::to_string(i), 1, i);
        int known = 0;
        for (int j = 0; j <= i; ++j) known += memo.find(std::to_string(j), 1) != nullptr ? 1 : 0;
        CHECK(known >= 1);
        CHECK(known <= 3);
    }
}
