#include "policy/session.h"
#include "support/catch.h"

// Whether code that nobody has seen may run in a session, and what people are told of it.

using namespace oauth3::policy;

TEST_CASE("there is a reason for people iff any_code is false") {
    for (int bits = 0; bits < 64; ++bits) {
        const auto is = [bits](int bit) { return (bits & (1 << bit)) != 0; };
        const auto constraint = [](const char* text, ConstraintClass kind) {
            Constraint out;
            out.text = text;
            out.kind = kind;
            return out;
        };
        SessionPolicy policy;
        policy.only_scopes = is(0);
        policy.any_code_kept = is(1);
        policy.has_own_rules = is(2);
        if (is(3)) policy.constraints.push_back(constraint("a", ConstraintClass::enforced));
        if (is(4)) policy.constraints.push_back(constraint("be nice", ConstraintClass::advisory));
        if (is(5)) policy.constraints.push_back(constraint("b", ConstraintClass::partly));
        const auto reasons = why_not_any_code(policy);
        CAPTURE(bits, reasons);
        CHECK(any_code(policy) == reasons.empty());
        if (is(4)) CHECK(contains(reasons, std::string("only advisory: \"be nice\"")));
    }
}
