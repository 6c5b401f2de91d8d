#include "orchestrator/logins.h"

#include "base/crypto.h"
#include "base/error.h"
#include "base/log.h"
#include "store/ledger.h"

namespace oauth3::orchestrator {
namespace {

/// A log-in's last use is written at most this often: reading a page must not always write.
constexpr base::Seconds kTouchEvery{60};

base::SecretString random_token() {
    return base::SecretString(base::to_base64url(base::random_bytes(32)));
}

}  // namespace

Logins::Logins(store::Database& database, Access& access, const base::Clock& clock)
    : database_(database),
      logins_(database),
      principals_(database),
      access_(access),
      clock_(clock) {}

Login Logins::begin(store::Transaction& tx, const std::string& owner_id,
                    const std::optional<std::string>& key_id, const char* by) {
    const base::Time now = clock_.now();
    Login out;
    out.cookie = random_token();
    out.owner_id = owner_id;
    out.csrf = access_.seal("csrf", out.cookie.reveal());
    store::LoginRow row{base::sha256_hex(out.cookie.reveal()), owner_id, key_id, now, now};
    logins_.add(tx, row);
    store::Ledger::append(
        tx,
        {now, owner_id, "owner:" + owner_id, "login.ok", std::nullopt, std::nullopt, {{"by", by}}});
    return out;
}

std::optional<Login> Logins::by_key(std::string_view key) {
    const auto who = access_.authenticate(key);
    if (!who || who->is_agent()) return std::nullopt;
    store::Transaction tx(database_);
    Login out = begin(tx, who->owner_id, who->key_id, "key");
    tx.commit();
    return out;
}

LoginLink Logins::make_link() {
    const auto owner = principals_.first_owner();
    if (!owner) throw base::Error("no_owner", "the server has no owner yet");
    LoginLink out{random_token(), clock_.now() + kLoginLinkLife};
    store::Transaction tx(database_);
    logins_.add_link(tx, base::sha256_hex(out.once.reveal()), owner->id, out.expires_at);
    tx.commit();
    return out;
}

bool Logins::is_open(std::string_view once) {
    return logins_.link_owner(base::sha256_hex(once), clock_.now()).has_value();
}

std::optional<Login> Logins::by_link(std::string_view once) {
    const std::string hash = base::sha256_hex(once);
    store::Transaction tx(database_);
    const auto owner = logins_.link_owner(hash, clock_.now());
    if (!owner) return std::nullopt;
    logins_.remove_link(tx, hash);
    Login out = begin(tx, *owner, std::nullopt, "link");
    tx.commit();
    return out;
}

std::optional<Principal> Logins::authenticate(std::string_view cookie) {
    const std::string hash = base::sha256_hex(cookie);
    const auto row = logins_.find(hash);
    if (!row || !base::equal_constant_time(row->hash, hash)) return std::nullopt;
    const base::Time now = clock_.now();
    if (now >= row->created_at + kLoginLife || now >= row->last_used_at + kLoginIdle)
        return std::nullopt;
    if (now >= row->last_used_at + kTouchEvery) {
        try {
            store::Transaction tx(database_);
            logins_.touch(tx, hash, now);
            tx.commit();
        } catch (const std::exception& e) {
            // The human must be able to look also while nothing can be written.
            base::log_warning("cannot keep a log-in alive: {}", e.what());
        }
    }
    return Principal{row->admin ? Role::admin : Role::owner,
                     row->key_id.value_or(""),
                     row->owner_id,
                     "",
                     Via::cookie,
                     access_.seal("csrf", cookie)};
}

void Logins::end(std::string_view cookie) {
    store::Transaction tx(database_);
    logins_.remove(tx, base::sha256_hex(cookie));
    tx.commit();
}

void Logins::record_failure(const std::string& address) {
    const auto owner = principals_.first_owner();
    if (!owner) return;
    store::Transaction tx(database_);
    store::Ledger::append(tx, {clock_.now(),
                               owner->id,
                               "server",
                               "login.failed",
                               std::nullopt,
                               std::nullopt,
                               {{"address", address}}});
    tx.commit();
}

void Logins::purge() {
    const base::Time now = clock_.now();
    store::Transaction tx(database_);
    logins_.purge(tx, now - kLoginIdle, now - kLoginLife, now);
    tx.commit();
}

}  // namespace oauth3::orchestrator
