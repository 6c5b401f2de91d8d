#include "api/standing.h"

#include "api/render.h"
#include "api/service.h"

namespace oauth3::api {
namespace {

/// Together they bound what is kept: 16 MiB.
constexpr std::size_t kMostKept = 1024;
constexpr std::size_t kLongestKept = std::size_t{16} << 10;

}  // namespace

Standings::Standings() : ended_(kMostKept) {}

std::optional<Standing> Standings::find(Service& service, const orchestrator::Principal& who,
                                        const std::string& id) {
    const std::uint64_t generation = service.orchestrator().generation();
    const std::string key = who.actor() + '/' + id;
    if (const Standing* kept = ended_.find(key, generation)) return *kept;
    const auto row = service.orchestrator().find(who, id);
    if (!row) return std::nullopt;
    Standing out{row->status, base::dump_json(status_json(service, *row))};
    // Until it has ended, time alone may end it.
    if (policy::is_final(row->status) && out.document.size() <= kLongestKept)
        ended_.put(key, generation, out);
    return out;
}

}  // namespace oauth3::api
