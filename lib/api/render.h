#pragma once

#include "api/service.h"
#include "base/clock.h"
#include "base/json.h"
#include "store/requests.h"
#include "store/sessions.h"

namespace oauth3::api {

/// The reply of GET /execute/:id/status (wire 5.4).
base::Json status_json(Service& service, const store::RequestRow& row);

/// One request with all that was asked (wire 7.3).
base::Json request_json(Service& service, const store::RequestRow& row);

/// One line of GET /requests.
base::Json summary_json(Service& service, const store::RequestRow& row);

/// One line of GET /history (wire 9).
base::Json history_json(const store::HistoryRow& row);

/// A session: S of wire 6.3.
base::Json session_json(const store::SessionRow& row, base::Time now);

/// One entry of GET /trust (wire 6.2).
base::Json trust_json(const store::TrustRow& row);

}  // namespace oauth3::api
