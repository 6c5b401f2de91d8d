#include "jail/cells.h"

#include "base/error.h"
#include "jail/enter.h"
#include "jail/job.h"
#include "jail/namespaces.h"
#include "jail/passing.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace oauth3::jail {
namespace {

using Clock = std::chrono::steady_clock;

/// Kinds of jails for which spares are kept.
constexpr std::size_t kMaxKinds = 4;
/// After a job was given, for so long or until it ends, the processors are left to it.
constexpr std::chrono::milliseconds kLull{20};

/// Without this the watcher would not find a jail's processes (CONFIG_PROC_CHILDREN).
bool kernel_tells_children() {
    return ::access("/proc/thread-self/children", R_OK) == 0;
}

constexpr std::string_view kWord(&kGo, 1);

bool lives(const Cell& cell) {
    pollfd death{cell.pidfd.get(), POLLIN, 0};
    return ::poll(&death, 1, 0) == 0;
}

}  // namespace

void Cell::kill() const noexcept {
    ::syscall(SYS_pidfd_send_signal, pidfd.get(), SIGKILL, nullptr, 0);
}

rusage Cell::reap() const noexcept {
    siginfo_t info{};
    rusage usage{};
    // The C library's waitid() does not pass the usage on.
    while (::syscall(SYS_waitid, P_PIDFD, pidfd.get(), &info, WEXITED, &usage) != 0 &&
           errno == EINTR) {
    }
    return usage;
}

Cells::Cells()
    : ids_(usable_host_ids()), can_watch_(kernel_tells_children()), groups_(Cgroups::find()) {}

Cells::~Cells() {
    for (const Kind& kind : kinds_)
        for (const Spare& spare : kind.spares) spare.cell.kill();
    for (const Kind& kind : kinds_)
        for (const Spare& spare : kind.spares) spare.cell.reap();
}

Ready Cells::ready() const {
    return {held_by(groups_.holds_memory(), groups_.holds_tasks(), groups_.holds_cpu(),
                    groups_.accounts_cpu()),
            ids_.separate};
}

Held Cells::held_by(const Cell& cell, bool account) const {
    return held_by(cell.group.holds_memory(), cell.group.holds_tasks(), cell.group.holds_cpu(),
                   account);
}

Held Cells::held_by(bool memory, bool tasks, bool cpu, bool account) const {
    const Keeper watched = can_watch_ ? Keeper::watch : Keeper::none;
    // RLIMIT_NPROC counts for each user namespace (Linux 5.14), or for all of this user's
    // processes, which is less. It does not hold for the host's root.
    const bool limited = ids_.separate || ids_.uid != 0;
    Held held;
    held.memory = memory ? Keeper::kernel : watched;
    held.tasks = tasks || limited ? Keeper::kernel : watched;
    held.cpu = cpu ? Keeper::kernel : Keeper::none;
    held.cpu_time = account ? Keeper::watch : watched;
    held.disk = Keeper::kernel;  // the size of a tmpfs
    return held;
}

std::vector<Cells::Identity> Cells::identify(const Isolation& isolation) {
    std::vector<Identity> found;
    const auto add = [&](const std::filesystem::path& path) {
        struct stat info {};
        // What is not there tells so itself when it is mounted.
        const bool there = ::stat(path.c_str(), &info) == 0;
        found.push_back(there ? Identity{info.st_dev, info.st_ino} : Identity{});
    };
    add(isolation.root);
    for (const Mount& mount : isolation.mounts) add(mount.source);
    return found;
}

Cells::Kind& Cells::kind_of(std::string_view bytes) {
    const auto known = std::find_if(kinds_.begin(), kinds_.end(),
                                    [&](const Kind& kind) { return kind.bytes == bytes; });
    if (known != kinds_.end()) {
        kinds_.splice(kinds_.begin(), kinds_, known);
    } else {
        kinds_.push_front({std::string(bytes), decode_isolation(bytes), {}, false});
        while (kinds_.size() > kMaxKinds) {
            for (Spare& spare : kinds_.back().spares) discard(std::move(spare.cell));
            kinds_.pop_back();
        }
    }
    return kinds_.front();
}

Cell Cells::take(std::string_view isolation) {
    quiet_ = Clock::now() + kLull;
    Kind& kind = kind_of(isolation);
    kind.failed = false;
    // Those behind one that is not ready are younger.
    while (!kind.spares.empty() && kind.spares.front().ready) {
        Cell cell = std::move(kind.spares.front().cell);
        const bool same = kind.spares.front().made_of == identify(kind.isolation);
        kind.spares.pop_front();
        if (same && lives(cell)) return cell;
        discard(std::move(cell));
    }
    return make(kind.isolation);
}

void Cells::employ(const Cell& cell, std::span<const int> handover) {
    if (!send_with_fds(cell.line.get(), kWord, handover, 0))
        base::throw_errno("give the jail its job");
}

void Cells::give_back(Cell cell) {
    slots_.reset(cell.slot);
    quiet_ = Clock::now();
}

void Cells::discard(Cell cell) {
    cell.kill();
    cell.reap();
    slots_.reset(cell.slot);
}

std::size_t Cells::free_slot() {
    for (;;) {
        std::size_t slot = 0;
        while (slot < slots_.size() && slots_[slot]) ++slot;
        if (slot < slots_.size()) return slot;
        // A job that waits is worth more than a jail that waits.
        const auto kind = std::find_if(kinds_.rbegin(), kinds_.rend(),
                                       [](const Kind& some) { return !some.spares.empty(); });
        if (kind == kinds_.rend()) throw base::SystemError(EBUSY, "find a free place for the jail");
        Cell cell = std::move(kind->spares.back().cell);
        kind->spares.pop_back();
        discard(std::move(cell));
    }
}

Cell Cells::make(const Isolation& isolation) {
    Cell cell;
    cell.slot = free_slot();
    base::SocketPair line = base::make_seqpacket_pair();
    cell.group = groups_.make(
        {isolation.limits.memory_bytes, isolation.limits.processes, isolation.limits.cpu_weight});
    cell.pid = namespaces::clone_into_new(cell.group.fd(), cell.pidfd);
    if (cell.pid == 0) enter(isolation, {line.second.get(), &cell.group}, filters_);
    cell.group.started();
    cell.line = std::move(line.first);
    try {
        const auto offset = ids_.separate ? static_cast<uid_t>(cell.slot) : 0;
        const auto map = ids_.by_tool ? namespaces::map_subordinate_ids : namespaces::map_ids;
        map(cell.pid, ids_.uid + offset, ids_.gid + offset);
    } catch (...) {
        cell.kill();
        cell.reap();
        throw;
    }
    slots_.set(cell.slot);
    return cell;
}

void Cells::watch(std::vector<pollfd>& watched) const {
    for (const Kind& kind : kinds_)
        for (const Spare& spare : kind.spares) {
            watched.push_back({spare.cell.pidfd.get(), POLLIN, 0});
            watched.push_back({spare.ready ? -1 : spare.cell.line.get(), POLLIN, 0});
        }
}

void Cells::look(std::span<const pollfd> watched) {
    auto seen = watched.begin();
    for (Kind& kind : kinds_)
        for (auto spare = kind.spares.begin(); spare != kind.spares.end();) {
            const bool dead = seen++->revents != 0;
            const bool spoke = seen++->revents != 0;
            if (dead) {
                kind.failed = true;
                discard(std::move(spare->cell));
                spare = kind.spares.erase(spare);
                continue;
            }
            // Of what else it may be, its death is told by the other one.
            char word = 0;
            if (spoke && ::recv(spare->cell.line.get(), &word, 1, MSG_DONTWAIT) == 1)
                spare->ready = word == kReady;
            ++spare;
        }
}

bool Cells::lacks_spares(const Kind& kind) {
    return !kind.failed && kind.spares.size() < kind.isolation.spares;
}

int Cells::chore_due() const {
    const int groups = groups_.chore_due();
    if (slots_.all() || std::none_of(kinds_.begin(), kinds_.end(), lacks_spares)) return groups;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(quiet_ - Clock::now()).count();
    const int spares = std::max(0, static_cast<int>(left));
    return groups < 0 ? spares : std::min(groups, spares);
}

void Cells::do_chore() {
    groups_.do_chore();
    const auto kind = std::find_if(kinds_.begin(), kinds_.end(), lacks_spares);
    // Where places run out, none is for a jail that only waits.
    if (kind == kinds_.end() || Clock::now() < quiet_ || slots_.all()) return;
    try {
        std::vector<Identity> made_of = identify(kind->isolation);
        Cell cell = make(kind->isolation);
        try {
            employ(cell, {});
        } catch (...) {
            discard(std::move(cell));
            throw;
        }
        kind->spares.push_back({std::move(cell), std::move(made_of), false});
    } catch (const std::exception&) {
        kind->failed = true;  // the next job is told why
    }
}

}  // namespace oauth3::jail
