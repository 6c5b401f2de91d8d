#pragma once

#include "base/memo.h"
#include "orchestrator/access.h"
#include "policy/status.h"

#include <optional>
#include <string>

namespace oauth3::api {

class Service;

/// How a request stands for somebody who may see it.
struct Standing {
    policy::Status status = policy::Status::pending;
    std::string document;  ///< the reply of GET /execute/:id/status (wire 5.4), as one line
};

/// Answers how requests stand. Agents ask that far more often than anything is written, and most
/// often of requests that have ended: their documents are kept until the next write.
class Standings {
  public:
    Standings();

    /// nullopt if there is no such request for `who`.
    std::optional<Standing> find(Service& service, const orchestrator::Principal& who,
                                 const std::string& id);

  private:
    base::Memo<Standing> ended_;  ///< by caller and id, so that each has seen its own
};

}  // namespace oauth3::api
