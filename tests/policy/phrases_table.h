#pragma once

#include "policy/phrases.h"

#include <vector>

/// What the table of phrases is tried with: sentences, and calls that they allow and forbid.
namespace oauth3::test {

/// A constraint as somebody writes it, and what must come of it.
struct Sentence {
    const char* text;
    policy::ConstraintClass kind;
    const char* limit;  ///< as describe() says it; "" for an advisory one
};

/// Those that compile.
const std::vector<Sentence>& compiled_sentences();

/// Those that must stay advisory.
const std::vector<const char*>& advisory_sentences();

/// Calls that a sentence allows and forbids, as "GET https://host/path".
struct Example {
    const char* text;
    std::vector<const char*> allowed, forbidden;
};

/// At least one example for each row whose limit is about calls.
const std::vector<Example>& examples();

}  // namespace oauth3::test
