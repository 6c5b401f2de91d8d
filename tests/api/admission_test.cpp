// What a request must pass before its handler sees it.
#include "api/admission.h"

#include "api/refusal.h"
#include "support/catch.h"

using namespace oauth3;
using api::SdkVersion;

namespace {

SdkVersion version(const char* text) {
    http::Request request;
    request.method = "POST";
    request.path = "/execute";
    if (text != nullptr) request.fields.emplace_back("X-OAuth3-SDK-Version", text);
    return api::check_sdk_version(request);
}

}  // namespace

TEST_CASE("a library's version is known, odd, or another major one") {
    CHECK(version(nullptr) == SdkVersion::absent);
    for (const char* known : {"0.2.0", "0.3.17", "0.3"}) CHECK(version(known) == SdkVersion::known);
    for (const char* odd : {"", "banana", "1", "0.9.0", "0.30.0", "0.", "v1.0.0", "1.0.0-beta"})
        CHECK(version(odd) == SdkVersion::odd);
    for (const char* other : {"1.0.0", "2.3.4", "10.0"})
        CHECK_THROWS_AS(version(other), api::Refusal);
}
