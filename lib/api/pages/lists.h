#pragma once

#include "api/html.h"
#include "api/service.h"
#include "ledger/chain.h"
#include "store/requests.h"
#include "store/sessions.h"
#include "store/trust.h"

#include <string>
#include <string_view>
#include <vector>

// Lists of requests, sessions and events.

namespace oauth3::api::pages {

/// "Nothing waits." and the like.
Html nothing(std::string_view text);

/// Requests, one a row, each with the way to its page.
Html request_rows(Service& service, const std::vector<store::RequestRow>& rows);

/// Requests that wait, each with what it asks for and the buttons that decide it: to approve only
/// what is shown whole.
Html waiting_cards(Service& service, const std::vector<store::RequestRow>& rows,
                   const Principal& owner);

/// Sessions, each with the button that revokes it.
Html session_cards(Service& service, const std::vector<store::SessionRow>& rows,
                   const Principal& owner);

/// Trusted code, each with the button that revokes it.
Html trust_cards(Service& service, const std::vector<store::TrustRow>& rows,
                 const Principal& owner);

/// Events of the ledger, one a row.
Html event_rows(Service& service, const std::vector<ledger::Event>& events,
                const Principal& reader);

/// A link below a list to what is older.
Html older(std::string_view path);

/// The path of a session's page.
std::string session_path(const Service& service, const store::SessionRow& row);

}  // namespace oauth3::api::pages
