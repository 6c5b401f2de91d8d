#include "jail/fixture.h"
#include "support/catch.h"

using namespace oauth3::jail;
using namespace oauth3::jail::test;

TEST_CASE("a program's exit code and both streams come back") {
    const Exit result = run({"echo", "hello"});
    CHECK(result.setup_error == "");
    CHECK(result.ending == Ending::exited);
    CHECK(result.status == 0);
    CHECK(result.out == "hello");
    CHECK(result.err == "to stderr");
    for (const int code : {0, 1, 3, 124, 255}) {
        const Exit other = run({"exit", std::to_string(code)});
        CHECK(other.ending == Ending::exited);
        CHECK(other.status == code);
    }
}
