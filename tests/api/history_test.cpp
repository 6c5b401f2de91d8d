#include "api/render.h"
#include "support/catch.h"

// What a page of the history says of a request.

using namespace oauth3;

TEST_CASE("a long error is cut in the history, at the end of a character") {
    store::HistoryRow row;
    row.error = "short";
    CHECK(api::history_json(row)["error"] == "short");
    row.error = std::string(1023, 'x') + "\u00e4" + std::string(1 << 20, 'y');
    CHECK(api::history_json(row)["error"] == std::string(1023, 'x'));
}
