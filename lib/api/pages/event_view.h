#pragma once

#include "api/service.h"
#include "ledger/chain.h"

#include <string>

// What the ledger holds, in words.

namespace oauth3::api::pages {

/// "Approved for the session", "Started", "Log-in failed".
std::string event_words(const ledger::Event& event);

/// "you", "the agent", "the server".
std::string actor_words(const std::string& actor, const Principal& reader);

}  // namespace oauth3::api::pages
