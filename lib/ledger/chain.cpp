#include "ledger/chain.h"

#include "base/crypto.h"

namespace oauth3::ledger {
namespace {

base::Json without_hash(const Event& event) {
    base::Json out{{"seq", event.seq},       {"at", event.at},         {"actor", event.actor},
                   {"action", event.action}, {"detail", event.detail}, {"prev", event.prev}};
    if (event.tenant_id) out["tenant_id"] = *event.tenant_id;
    if (event.request_id) out["request_id"] = *event.request_id;
    return out;
}

}  // namespace

std::string first_prev() {
    return std::string(64, '0');
}

std::string hash_of(const Event& event) {
    return base::sha256_hex(event.prev + base::canonical_json(without_hash(event)));
}

void link(Event& event, std::int64_t last_seq, const std::string& last_hash) {
    event.seq = last_seq + 1;
    event.prev = last_seq == 0 ? first_prev() : last_hash;
    event.hash = hash_of(event);
}

base::Json to_json(const Event& event) {
    base::Json out = without_hash(event);
    out["hash"] = event.hash;
    return out;
}

std::optional<std::int64_t> first_break(const std::vector<Event>& events, std::int64_t last_seq,
                                        std::string last_hash) {
    for (const Event& event : events) {
        if (event.seq != last_seq + 1 || event.prev != last_hash || event.hash != hash_of(event))
            return event.seq;
        last_seq = event.seq;
        last_hash = event.hash;
    }
    return std::nullopt;
}

}  // namespace oauth3::ledger
