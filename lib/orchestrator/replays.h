#pragma once

#include "base/clock.h"
#include "store/idempotency.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace oauth3::orchestrator {

/// How long a reply is given again (wire 1.3).
inline constexpr base::Seconds kReplayLife{24 * 3600};

/// A call that may come more than once: the same key stands for the same call.
struct RepeatableCall {
    std::string_view tenant_id;
    std::string_view route;  ///< "execute" or "scope"
    std::string_view key;
    std::string_view body;
};

/// What was answered, and whether it was answered before.
struct Answered {
    unsigned status = 200;
    std::string reply;
    bool replayed = false;
};

/// The key was used with another body.
struct Mismatch {};

/// Makes a repeated call one call: what it changes and the reply to it are one transaction, so
/// that after a crash either both are there or none.
class Replays {
  public:
    Replays(store::Database& database, const base::Clock& clock);

    /// Answers from memory, or lets `work` do the call and keeps its reply. `work` throws for a
    /// call that came to nothing and may be made again: whatever it changed is then taken back.
    std::variant<Answered, Mismatch> answer(const RepeatableCall& call,
                                            const std::function<store::IdempotentReply()>& work);

    /// Forgets some of what is too old, if there is any: to be called about once a second.
    void purge();

  private:
    store::Database& database_;
    store::Idempotency replies_;
    const base::Clock& clock_;
};

}  // namespace oauth3::orchestrator
