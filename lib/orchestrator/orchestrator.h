#pragma once

#include "base/clock.h"
#include "base/json.h"
#include "orchestrator/access.h"
#include "orchestrator/reviews.h"
#include "orchestrator/runs.h"
#include "policy/fit.h"
#include "policy/narrow.h"
#include "policy/session.h"
#include "skill/declaration.h"
#include "store/ledger.h"
#include "store/requests.h"
#include "store/retention.h"
#include "store/sessions.h"
#include "store/trust.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace oauth3::orchestrator {

/// A program that an agent asks to run; checked for form already.
struct ExecuteSubmission {
    std::string skill_id;
    std::string code;
    skill::Declaration declaration;
    std::vector<std::string> secrets;  ///< the requested ones, the declaration's if none are named
    base::Json args = base::Json::object();
    std::optional<std::string> session_id;
};

/// A scope that an agent asks for; checked for form already.
struct ScopeSubmission {
    policy::Scope scope;
    std::optional<std::string> code;
    std::optional<skill::Declaration> declaration;  ///< of the code
    std::vector<std::string> warnings;
    std::optional<std::string> session_id;
};

struct Submitted {
    store::RequestRow row;
    bool session_exists = false;
    bool in_review = false;  ///< it is pending until the reviewer has answered
};

/// The tenant has as many undecided requests as it may have.
struct TooManyPending {
    std::size_t limit = 0;
};

/// For how long an approved execution is approved (wire 6.1): this run, its session, or the code
/// itself for a day or for ever, which is approved for the session, too.
enum class Level { once, session, day, forever };

/// The word of the wire: "once", "session", "24h", "forever".
std::string_view to_string(Level level);

struct Decision {
    bool approve = false;
    Level level = Level::once;
    std::string reason;  ///< told to the agent with a denial
    /// policy::session_digest() of the session that the human saw, if that is known.
    std::optional<std::string> session_digest = std::nullopt;
    bool pin_args = false;  ///< trust is for these arguments only
    bool any_code = true;   ///< of a scope: code that nobody has seen may run, where that can be
    /// What the human cuts from the request, and the JSON that it was read from.
    std::optional<policy::Narrowing> narrowing = std::nullopt;
    std::string narrowing_text = {};
};

/// What became of a decision. Exactly one decision on a request is `made`.
struct Decided {
    store::RequestRow row;
    bool made = false;
    /// Not made: the approval would change a session that is not the one that the human saw.
    bool session_changed = false;
    /// Not made: what was to be cut from the request is not covered by it.
    std::optional<policy::NotNarrower> not_narrower = std::nullopt;
    bool expanded = false;        ///< the session existed already and has grown
    std::size_t constraints = 0;  ///< in the session now
};

/// What became of a wish to cancel.
struct Cancelled {
    store::RequestRow row;
    bool stopping = false;  ///< it runs and was told to stop: wait for its end
    bool was_final = false;
};

/// What would become of a submission.
struct Would {
    std::string session_id;
    bool session_exists = false;
    bool trusted = false;           ///< it would be approved since its code is trusted
    bool fits = false;              ///< it would be approved by the session
    policy::Violations violations;  ///< why it does not fit the session that exists
    policy::Gaps gaps;              ///< what that session lacks
    /// Requested secrets that are not there. Only if it would be approved: else a human has not
    /// approved yet that the agent may know.
    std::vector<std::string> missing_secrets;
};

/// Which of a tenant's last executions an approval would have let through by itself.
struct Backtest {
    struct Item {
        store::RequestRow row;
        policy::Violations violations;  ///< empty: it would have been let through
        bool denied = false;            ///< a human has denied it
    };
    std::vector<Item> items;  ///< newest first
};

struct Settings {
    base::Seconds approval_ttl{24 * 3600};  ///< an undecided request expires after this
    std::size_t max_pending = 50;           ///< undecided requests of one tenant
    std::size_t parallel_runs = 4;
    base::Seconds retention{30 * 24 * 3600};  ///< final requests stay at least this long
    /// Asked for a second opinion on each request; none: nobody is.
    Reviewer reviewer = nullptr;
};

/// A retention below this is refused by whoever reads the settings (wire 5.4).
inline constexpr base::Seconds kMinRetention{7 * 24 * 3600};

/// The life of a request: submit, decide, run, settle. All calls on the loop thread. Whatever a
/// principal may not see does not exist for it: those calls answer nullopt.
class Orchestrator {
  public:
    Orchestrator(store::Database& database, const base::Clock& clock, Runner runner, Hooks hooks,
                 Settings settings);

    /// Takes up what an earlier life of the server left. Call once, before anything else.
    void recover() {
        runs_.recover();
        review_again();
    }

    std::variant<Submitted, TooManyPending> submit(const Principal& agent,
                                                   const ExecuteSubmission& submission);
    std::variant<Submitted, TooManyPending> submit(const Principal& agent,
                                                   const ScopeSubmission& submission);

    /// What submit() would answer. Writes nothing.
    Would would(const Principal& agent, const ExecuteSubmission& submission);

    /// The caller must be an owner.
    std::optional<Decided> decide(const Principal& owner, std::string_view id,
                                  const Decision& decision);
    std::optional<Cancelled> cancel(const Principal& who, std::string_view id);

    std::optional<store::RequestRow> find(const Principal& who, std::string_view id);
    /// As store::Database::generation(): a final request is as find() gave it while this stands.
    std::uint64_t generation() const { return database_.generation(); }
    /// Without an asking principal: for a caller that holds the request's approval token.
    std::optional<store::RequestRow> find_by_link(std::string_view id);
    std::optional<store::ResultRow> result(const store::RequestRow& row);
    std::string code(const store::RequestRow& row);
    /// An agent's own requests, an owner's those of all its tenants; newest first.
    std::vector<store::RequestRow> list(const Principal& who, store::ListFilter filter);
    /// The same, of rows that hold nothing long.
    std::vector<store::HistoryRow> history(const Principal& who, store::ListFilter filter);
    /// How many requests of the whole server have each status that is not final.
    std::map<policy::Status, std::int64_t> count_alive() { return requests_.count_alive(); }
    /// The code that was last approved for the same tenant and skill_id before this request, if it
    /// is there and differs.
    std::optional<std::string> last_approved_code(const store::RequestRow& row);

    /// Living sessions, latest activity first: an agent's own, an owner's of one or all tenants.
    std::vector<store::SessionRow> sessions(const Principal& who,
                                            const std::optional<std::string>& tenant_id);
    /// A living session.
    std::optional<store::SessionRow> session(const Principal& who, std::string_view tenant_id,
                                             std::string_view id);
    /// The living session that a request belongs to. For whoever may read the request: an approval
    /// would change it.
    /// One that somebody has changed in the database counts as none.
    std::optional<store::SessionRow> session_of(const store::RequestRow& row);
    /// policy::session_digest() of that session.
    std::string session_digest(const store::RequestRow& row);
    /// The tenants of which a living session with this id can be seen; an agent only has its own.
    std::vector<std::string> tenants_with_session(const Principal& who, std::string_view id);
    /// Ends a living session for good: what is approved in it and has not started is denied, what
    /// runs is killed and ends as failed, both with "session revoked". The session as it ended.
    std::optional<store::SessionRow> revoke_session(const Principal& who,
                                                    std::string_view tenant_id, std::string_view id,
                                                    const std::string& reason);
    /// Cuts a living session down. What is queued is checked against it again before it starts.
    /// Nothing is written if nothing changes.
    std::optional<std::variant<store::SessionRow, policy::NotNarrower>> narrow_session(
        const Principal& who, std::string_view tenant_id, std::string_view id,
        const policy::Narrowing& to);

    /// Trusted code that has not expired, newest first: an agent's own, an owner's of one or all
    /// tenants.
    std::vector<store::TrustRow> trust(const Principal& who,
                                       const std::optional<std::string>& tenant_id);
    /// Ends the trust: what it has approved and has not started is denied, what runs is killed,
    /// both with "trust revoked".
    std::optional<store::TrustRow> revoke_trust(const Principal& who, std::string_view id);

    /// What the session would have let through if the request had been approved before: a scope as
    /// it stands, an execution for its session. Numbers of runs, budgets and time are left out.
    Backtest backtest(const store::RequestRow& row, std::int64_t limit);

    /// What the ledger tells of an owner's tenants, newest first; oldest first with `after` or
    /// `request_id`. The caller must be an owner: an agent gets nothing.
    std::vector<ledger::Event> events(const Principal& owner, const store::EventFilter& filter);

    /// Removes a small batch of what ended longer ago than settings.retention; the ledger stays.
    store::Purged purge(base::Time now) { return retention_.purge(now, settings_.retention); }

    /// To be called about once a second: ends what is overdue, stores what could not be stored,
    /// removes a little of what is too old.
    void tick();
    /// To be called when the server begins to stop: no further run is started.
    void close() { runs_.close(); }
    void shut_down() {
        reviews_.shut_down();
        runs_.shut_down();
    }

  private:
    /// What approves a request without asking a human.
    struct Warrant {
        policy::Grant grant;
        std::string authority;
        std::optional<store::SessionRow> session;  ///< one of its runs is used
        std::optional<store::TrustRow> trust;
    };
    /// How a request stands to trust and to its session.
    struct Assessment {
        bool session_exists = false;
        std::optional<Warrant> warrant;
        policy::Violations violations;
        policy::Gaps gaps;
    };
    std::optional<store::SessionRow> standing(const store::RequestRow& row, base::Time now);
    Assessment assess(const std::string& tenant_id, const std::string& session_id,
                      const policy::Ask& ask, base::Time now);
    void start_review(const store::RequestRow& row, const Assessment& found);
    void reviewed(const std::string& id, const notify::Opinion& opinion);
    void review_again();
    bool approve_by(store::Transaction& tx, store::RequestRow& row, const Warrant& warrant,
                    base::Time now);
    void deny(store::Transaction& tx, store::RequestRow& row, const Principal& owner,
              const Decision& decision, base::Time now, Decided& out);
    void approve_scope(store::Transaction& tx, store::RequestRow& row, const Principal& owner,
                       const Decision& decision, base::Time now, Decided& out);
    void approve_run(store::Transaction& tx, store::RequestRow& row, const Principal& owner,
                     const Decision& decision, base::Time now, Decided& out);
    void put_session(store::Transaction& tx, const store::RequestRow& row,
                     const std::optional<policy::Session>& before, const policy::Session& after,
                     const Principal& owner, base::Time now, Decided& out);
    void deny_all(store::Transaction& tx, std::vector<store::RequestRow> rows,
                  const std::string& actor, const char* error, std::vector<std::string>& denied,
                  std::vector<std::string>& running);
    void refit(store::Transaction& tx, const store::SessionRow& session, const std::string& actor,
               std::vector<std::string>& denied);
    store::RequestRow new_row(const Principal& agent, policy::Kind kind,
                              const std::optional<std::string>& session_id);
    void expire(store::RequestRow row);
    /// Now, but never before what happened to the request already: the clock may jump back.
    base::Time ending_time(const store::RequestRow& row) const;
    bool has_room(const Principal& agent);

    store::Database& database_;
    store::Requests requests_;
    store::Sessions sessions_;
    store::Trust trust_;
    store::Ledger ledger_;
    store::Retention retention_;
    Recheck recheck_;
    const base::Clock& clock_;
    Hooks hooks_;
    Settings settings_;
    Runs runs_;
    Reviews reviews_;
};

}  // namespace oauth3::orchestrator
