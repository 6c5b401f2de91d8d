#pragma once

#include "base/fd.h"

namespace oauth3::jail {

/// Asks a run to stop, from any thread and once for all: it stays set. Also poll(2)-able.
class StopSignal {
  public:
    /// Throws SystemError when no descriptor is left.
    StopSignal();
    /// Safe to call from several threads and more than once.
    void request_stop() noexcept;
    bool stop_requested() const noexcept;
    /// Readable once a stop was requested. Not to be read from.
    int fd() const { return event_.get(); }

  private:
    base::Fd event_;
};

}  // namespace oauth3::jail
