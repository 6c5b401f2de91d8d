#include "fuzz/api_world.h"

#include "base/json.h"
#include "fuzz/fuzz.h"

#include <SQLiteCpp/Backup.h>
#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <sqlite3.h>

#include <algorithm>

namespace oauth3::fuzz {
namespace {

constexpr const char* kPlantedCode = "console.log('</pre><script>alert(1)</script>')\n";

runtime::Outcome ended() {
    runtime::Outcome out;
    out.out = "</pre><script>alert(2)</script>";
    return out;
}

}  // namespace

World::World() {
    database_ = std::make_unique<store::Database>(folder_.path());
    access_ = std::make_unique<orchestrator::Access>(*database_,
                                                     base::SecretString(std::string(32, 'k')));
    accounts_ = std::make_unique<orchestrator::Accounts>(*database_, clock_);
    logins_ = std::make_unique<orchestrator::Logins>(*database_, *access_, clock_);
    replays_ = std::make_unique<orchestrator::Replays>(*database_, clock_);
    accounts_->create_server_owner(
        [this](const base::SecretString& key) { names_["$OWNER"] = key.reveal(); });
    clock_.time += base::Seconds(60);  // the server's owner is the one that was there first
    orchestrator::Hooks hooks;
    hooks.post = [this](std::function<void()> work) {
        const std::lock_guard lock(mutex_);
        work_.push_back(std::move(work));
        came_.notify_one();
    };
    hooks.changed = [](const std::string&) {};
    orchestrator::Settings settings;
    settings.parallel_runs = 1;
    orchestrator_ = std::make_unique<orchestrator::Orchestrator>(
        *database_, clock_, [](const runtime::Job&, const jail::StopSignal&) { return ended(); },
        std::move(hooks), settings);
    api::Config config;
    config.base_url = "http://127.0.0.1:3737";
    config.cors_origins = {"https://app.example"};
    config.allow_hosts = {"oauth3.internal"};
    config.version = "1.0.0";
    config.can_run = [] { return true; };
    service_ = std::make_unique<api::Service>(
        api::Parts{*orchestrator_, *access_, *accounts_, *logins_, *replays_, clock_}, config);
    for (const api::Endpoint& endpoint : service_->endpoints()) {
        route_names_.push_back(endpoint.method + " " + endpoint.pattern);
        routes_.push_back(&endpoint);
        router_.add({endpoint.method, endpoint.pattern,
                     [](const http::Request&) { return http::Response{}; }});
    }
    populate();
    template_ = std::make_unique<SQLite::Database>(":memory:",
                                                   SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    SQLite::Backup(*template_, database_->sqlite()).executeStep();
    changes_ = ::sqlite3_total_changes(database_->sqlite().getHandle());
}

World::~World() {
    orchestrator_->shut_down();
}

void World::populate() {
    const std::string owner = value("$OWNER");
    const auto admin = access_->authenticate(owner);
    const auto other = accounts_->create_owner(*admin, "other-human");
    const std::string other_key(other.key.key.reveal());
    const auto other_owner = access_->authenticate(other_key);
    names_["$STRANGER"] = other_key;
    const auto foreign = accounts_->create_tenant(*other_owner, "foreign-planted");
    const auto agent = accounts_->sign_up("agent", std::nullopt);
    const auto second = accounts_->sign_up("second", "a@b.example");
    names_["$AGENT"] = agent.key.key.reveal();
    names_["$SECOND"] = second.key.key.reveal();
    names_["$TENANT"] = agent.row.id;
    names_["$KEY"] = agent.key.row.id;
    names_["$FOREIGNTENANT"] = foreign.row.id;
    names_["$FOREIGNKEY"] = foreign.key.row.id;
    const auto login = logins_->by_key(owner);
    names_["$COOKIE"] = login->cookie.reveal();
    names_["$CSRF"] = login->csrf;
    names_["$ONCE"] = logins_->make_link().once.reveal();
    names_["$INVITE"] =
        accounts_->create_invite(*admin, admin->owner_id, 1, base::Seconds(3600))->invite.reveal();

    const auto submit = [&](const std::string& key, const std::string& path, base::Json body) {
        return base::parse_json(must("POST", path, key, body).body);
    };
    const base::Json pending = submit(value("$AGENT"), "/execute",
                                      {{"skill_id", "<script>alert(3)</script>"},
                                       {"skill_code", kPlantedCode},
                                       {"args", {{"A", "</td><script>alert(4)</script>"}}}});
    names_["$PENDING"] = pending["request_id"];
    names_["$TOKEN"] = access_->approval_token(value("$PENDING"));
    names_["$SCOPE"] =
        submit(value("$AGENT"), "/scope",
               {{"description", "<script>alert(5)</script>"}, {"constraints", {"be nice"}}})
            .at("request_id");
    const base::Json done =
        submit(value("$SECOND"), "/execute", {{"skill_id", "done"}, {"skill_code", kPlantedCode}});
    names_["$DONE"] = done["request_id"];
    names_["$SESSION"] = done["session_id"];
    must("POST", "/requests/" + value("$DONE") + "/decision", owner,
         {{"action", "approve"}, {"level", "session"}});
    names_["$FOREIGN"] =
        submit(std::string(foreign.key.key.reveal()), "/execute",
               {{"skill_id", "foreign-planted"}, {"skill_code", "'foreign-planted'"}})
            .at("request_id");
    names_["$HASH"] = ask("SELECT code_hash FROM requests WHERE id = '" + value("$PENDING") + "'");
}

std::vector<std::string> World::names() const {
    std::vector<std::string> out;
    for (const auto& [name, value] : names_) out.push_back(name);
    return out;
}

http::Response World::must(const std::string& method, const std::string& path,
                           const std::string& key, const base::Json& body) {
    http::Request request;
    request.method = method;
    request.path = path;
    request.fields = {{"Authorization", "Bearer " + key}, {"Content-Type", "application/json"}};
    request.body = base::dump_json(body);
    http::Response out = call(request);
    require(out.status == 200, "the world can be made", out.body);
    return out;
}

std::string World::fill_in(std::string text) const {
    // The longest first: $FOREIGNKEY is not $FOREIGN and then KEY.
    for (auto name = names_.rbegin(); name != names_.rend(); ++name)
        for (std::size_t at = 0; (at = text.find(name->first, at)) != std::string::npos;
             at += name->second.size())
            text.replace(at, name->first.size(), name->second);
    return text;
}

http::Response World::call(http::Request& request) {
    // Each from an address of its own, so that no limit of one input is felt by the next.
    ++address_;
    request.remote_address =
        fmt::format("10.{}.{}.{}", address_ >> 16 & 255, address_ >> 8 & 255, address_ & 255);
    http::Reply reply = service_->handle(request);
    run_jobs();
    if (auto* response = std::get_if<http::Response>(&reply)) return std::move(*response);
    auto& hold = std::get<http::Hold>(reply);
    require(!hold.key.empty() && hold.limit >= base::Millis::zero(), "a hold has a key");
    if (auto early = hold.attempt(false)) return std::move(*early);
    auto last = hold.attempt(true);
    require(last.has_value(), "a hold has a last answer");
    return std::move(*last);
}

void World::run_jobs() {
    for (;;) {
        std::function<void()> work;
        {
            std::unique_lock lock(mutex_);
            if (work_.empty()) {
                lock.unlock();
                if (orchestrator_->count_alive().at(policy::Status::executing) == 0) return;
                lock.lock();
            }
            came_.wait(lock, [this] { return !work_.empty(); });
            work = std::move(work_.front());
            work_.pop_front();
        }
        work();
    }
}

const api::Endpoint* World::route(const std::string& method, const std::string& path) const {
    const http::Match match = router_.match(method, path);
    if (match.kind != http::Match::Kind::matched) return nullptr;
    const std::string name = match.route->method + " " + match.route->pattern;
    const auto found = std::find(route_names_.begin(), route_names_.end(), name);
    return found == route_names_.end()
               ? nullptr
               : routes_[static_cast<std::size_t>(found - route_names_.begin())];
}

bool World::changed() const {
    return ::sqlite3_total_changes(database_->sqlite().getHandle()) != changes_;
}

void World::restore() {
    SQLite::Backup(database_->sqlite(), *template_).executeStep();
    changes_ = ::sqlite3_total_changes(database_->sqlite().getHandle());
}

std::string World::ask(const std::string& sql) const {
    SQLite::Statement statement(database_->sqlite(), sql);
    std::string out;
    while (statement.executeStep()) {
        for (int i = 0; i < statement.getColumnCount(); ++i)
            out += statement.getColumn(i).getString() + "|";
    }
    if (out.ends_with("|")) out.pop_back();
    return out;
}

std::string World::foreign_state() const {
    const std::string owner = "(SELECT id FROM owners WHERE name = 'other-human')";
    return ask("SELECT * FROM requests WHERE owner_id = " + owner) +
           ask("SELECT * FROM tenants WHERE owner_id = " + owner) +
           ask("SELECT * FROM keys WHERE owner_id = " + owner) +
           ask("SELECT * FROM sessions WHERE owner_id = " + owner) +
           ask("SELECT * FROM ledger WHERE owner_id = " + owner);
}

std::string World::human_state() const {
    const std::string mine =
        " AND owner_id = (SELECT owner_id FROM tenants WHERE id = '" + value("$TENANT") + "') ";
    return ask("SELECT count(*) FROM ledger WHERE action IN ('request.decided', "
               "'session.created', 'session.widened', 'key.revoked')" +
               mine) +
           "/" + ask("SELECT count(*) FROM owners") + "/" + ask("SELECT count(*) FROM invites") +
           "/" + ask("SELECT count(*) FROM keys WHERE revoked_at IS NOT NULL" + mine) + "/" +
           ask("SELECT id, status FROM requests WHERE status IN ('denied', 'completed', 'failed') "
               "AND seq <= 4" +
               mine + "ORDER BY seq") +
           "/" + ask("SELECT count(*) FROM requests WHERE authority IN ('human', 'link')" + mine);
}

}  // namespace oauth3::fuzz
