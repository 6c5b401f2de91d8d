#pragma once

#include "base/fd.h"
#include "jail/keeper.h"
#include "jail/process.h"
#include "jail/spec.h"

#include <sys/types.h>

#include <string>
#include <utility>

namespace oauth3::jail {

/// What the helper knows of the jails that it will make.
struct Ready {
    Held held;
    bool separate_ids = false;
};

/// The small helper process that starts all jails. It is forked before the server holds any key or
/// a thread, so no jailed program is ever a copy of the server's memory, a big server does not
/// make starting slow, and the server can be non-dumpable. It ends, and kills all jails, when the
/// server ends, however that happens; signals of the terminal do not reach it.
class Spawner {
  public:
    /// Forks the helper and waits until it is ready. Call it while the process has a single thread
    /// and nothing confidential yet. Throws Error "not_single_threaded" or "spawner_gone", or
    /// SystemError.
    static Spawner start();

    Spawner(Spawner&& other) noexcept;
    Spawner& operator=(Spawner&&) = delete;
    Spawner(const Spawner&) = delete;
    Spawner& operator=(const Spawner&) = delete;
    /// Ends the helper and with it every jail.
    ~Spawner();

    /// Starts a jail and returns as soon as its pid 1 exists; what goes wrong in there afterwards
    /// is told by supervise(). Safe to call from many threads at once.
    ///
    /// Throws Error "spawner_gone" if the helper has died, "jail_unavailable" with cause and mend
    /// if this machine forbids it (no unprivileged user namespaces), "jail_busy" if kMaxJails run
    /// already, and SystemError when descriptors or memory run out.
    Process launch(const Spec& spec) const;

    /// Who will hold the limits of jails on this machine, for this user; each Exit says who did.
    const Held& held() const { return ready_.held; }
    /// Each jail runs as a host user of its own; else all run as this process's.
    bool has_separate_ids() const { return ready_.separate_ids; }
    /// Why it is not the kernel that holds all, for the owner of the machine: a sentence a line,
    /// possibly none.
    const std::string& held_reasons() const { return held_reasons_; }

    /// Process id of the helper.
    pid_t pid() const { return pid_; }

  private:
    Spawner(base::Fd socket, pid_t pid) : socket_(std::move(socket)), pid_(pid) {}
    base::Fd socket_;
    pid_t pid_ = -1;
    Ready ready_;
    std::string held_reasons_;
};

/// Jails that can live at the same time.
inline constexpr unsigned kMaxJails = 512;

}  // namespace oauth3::jail
