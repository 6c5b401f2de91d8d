#pragma once

#include "api/html.h"
#include "api/service.h"
#include "store/requests.h"

#include <string>

// What pages show of one request.

namespace oauth3::api::pages {

/// What it is called: its skill's name, or for a scope what it is for.
std::string request_title(const store::RequestRow& row);
/// "“agent” claimed name tenant_…": an agent is never named without saying that it chose the name
/// itself, nor without the id that it did not choose.
Html claimed_name(Service& service, const std::string& tenant_id);

/// Everything that a human must know before deciding (wire 7.1), the code last.
Html request_content(Service& service, const store::RequestRow& row, const std::string& code);

/// The program with its hash, for a request that has one.
Html code_section(const store::RequestRow& row, const std::string& code);

/// What asking for secrets and hosts comes to, and for how long: the facts that matter most.
Html powers(const store::RequestRow& row, const std::string& code);

/// What each level of an approval will allow.
std::string allows_once(const store::RequestRow& row);
std::string allows_session(Service& service, const store::RequestRow& row);
/// What trust in the code allows, for a day or until it is revoked.
std::string allows_trust(const store::RequestRow& row, bool day);
/// True if approving this scope could let code run that nobody has seen.
bool may_run_any_code(Service& service, const store::RequestRow& row);
std::string allows_scope(Service& service, const store::RequestRow& row);

/// How it ended: its error and the start of its output; empty while it has not.
Html request_end(Service& service, const store::RequestRow& row);

/// All that happened to it, as the ledger tells. For its owner only.
Html request_story(Service& service, const store::RequestRow& row, const Principal& owner);

}  // namespace oauth3::api::pages
