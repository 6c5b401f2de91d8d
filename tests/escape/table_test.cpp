#include "escape/attack.h"

TEST_CASE("the table holds at least 60 attacks") {
    CHECK(oauth3::escape::number_of_attacks() >= 60);
}
