#include "orchestrator/access.h"

#include "base/crypto.h"

namespace oauth3::orchestrator {
namespace {

/// Callers that are remembered until the next write.
constexpr std::size_t kMostKnown = 4096;

}  // namespace

std::string Principal::actor() const {
    if (via == Via::link) return "link";
    return is_agent() ? "agent:" + tenant_id : "owner:" + owner_id;
}

Access::Access(store::Database& database, base::SecretString link_key)
    : database_(database),
      principals_(database),
      link_key_(std::move(link_key)),
      known_(kMostKnown) {}

std::optional<Principal> Access::authenticate(std::string_view key) {
    const std::string hash = base::sha256_hex(key);
    const std::uint64_t generation = database_.generation();
    if (const Principal* known = known_.find(hash, generation)) return *known;
    const auto row = principals_.key_by_hash(hash);
    if (!row || !base::equal_constant_time(row->hash, hash)) return std::nullopt;
    const Role role = row->tenant_id ? Role::agent : row->admin ? Role::admin : Role::owner;
    Principal out{role, row->id, row->owner_id, row->tenant_id.value_or("")};
    known_.put(hash, generation, out);
    return out;
}

bool Access::still_valid(const Principal& who) {
    if (who.key_id.empty()) return true;
    const auto row = principals_.key(who.key_id);
    return row && !row->revoked_at;
}

std::string Access::approval_token(std::string_view request_id) const {
    return base::hmac_sha256_hex(link_key_.reveal(), request_id);
}

bool Access::opens(std::string_view token, std::string_view request_id) const {
    return base::equal_constant_time(token, approval_token(request_id));
}

std::string Access::seal(std::string_view purpose, std::string_view text) const {
    // No request id holds a colon, so a seal is never the token of a link.
    std::string sealed(purpose);
    sealed += ':';
    sealed += text;
    return base::hmac_sha256_hex(link_key_.reveal(), sealed);
}

std::string Access::tenant_name(std::string_view tenant_id) {
    const auto row = principals_.tenant(tenant_id);
    return row ? row->name : std::string();
}

}  // namespace oauth3::orchestrator
