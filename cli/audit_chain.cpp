#include "cli/audit_chain.h"

#include "base/crypto.h"
#include "cli/sheet.h"
#include "ledger/chain.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace oauth3::cli {
namespace {

using base::Json;

std::int64_t seq_of(const Json& event) {
    const Json* const seq = member(event, "seq");
    return seq != nullptr && seq->is_number_integer() ? seq->get<std::int64_t>() : 0;
}

void append_events(const Json& document, Json& out) {
    const Json* list = &document;
    if (document.is_object()) {
        list = member(document, "events");
        if (list == nullptr) {
            out.push_back(document);
            return;
        }
    }
    if (!list->is_array()) throw base::Error("bad_export", "The file holds no list of events.");
    out.insert(out.end(), list->begin(), list->end());
}

}  // namespace

bool AuditChain::refuse(std::string reason) {
    broken_at_ = count_ + 1;
    reason_ = std::move(reason);
    return false;
}

bool AuditChain::add(const Json& event) {
    if (broken_at_) return false;
    if (!event.is_object()) return refuse("it is no object");
    const std::int64_t seq = seq_of(event);
    if (seq != count_ + 1)
        return refuse(seq == 0 ? "it has no number"
                               : fmt::format("event {} stands in its place", seq));
    if (text_of(event, "prev") != (count_ == 0 ? ledger::first_prev() : last_hash_))
        return refuse("it does not name the hash of the event before it");
    Json hashed = event;
    hashed.erase("hash");
    const std::string hash = text_of(event, "hash");
    if (base::sha256_hex(text_of(event, "prev") + base::canonical_json(hashed)) != hash)
        return refuse("its hash is not that of its content");
    ++count_;
    last_hash_ = hash;
    return true;
}

Json read_exported_events(const std::string& text) {
    Json events = Json::array();
    try {
        append_events(base::parse_json(text), events);
    } catch (const base::JsonError& whole) {
        std::string_view rest = text;
        for (std::size_t number = 1; !rest.empty(); ++number) {
            const std::string_view line = rest.substr(0, rest.find('\n'));
            rest.remove_prefix(std::min(rest.size(), line.size() + 1));
            if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
            try {
                append_events(base::parse_json(line), events);
            } catch (const base::JsonError& error) {
                throw base::Error(
                    "bad_export",
                    fmt::format("The file is neither one JSON document nor one a line: line {}: {}",
                                number, error.what()));
            }
        }
    }
    // Lists come newest first. A number that is there twice stays so, and is found by the check.
    auto& list = events.get_ref<Json::array_t&>();
    std::stable_sort(list.begin(), list.end(),
                     [](const Json& a, const Json& b) { return seq_of(a) < seq_of(b); });
    return events;
}

}  // namespace oauth3::cli
