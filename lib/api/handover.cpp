#include "api/handover.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/files.h"
#include "base/log.h"

#include <fcntl.h>
#include <fmt/format.h>

namespace oauth3::api {
namespace {

base::Fd open_terminal() {
    return base::Fd(::open("/dev/tty", O_WRONLY | O_NOCTTY | O_CLOEXEC));
}

}  // namespace

void deliver_owner_key(const std::filesystem::path& file, const base::SecretString& key) {
    if (!file.empty()) {
        base::write_private_file(file, std::string(key.reveal()) + "\n");
        base::log_info("the owner's key is in {}", file.string());
        return;
    }
    const base::Fd terminal = open_terminal();
    if (!terminal)
        throw base::Error("no_owner_key_out", "the first start has nowhere to show the owner's key",
                          "name a file with --owner-key-out, or start it on a terminal");
    base::write_all(terminal.get(),
                    fmt::format("\nThe owner's key, shown once. Keep it where no agent can read "
                                "it:\n\n  {}\n\n",
                                key.reveal()));
}

bool show_login_link(std::string_view url) {
    const base::Fd terminal = open_terminal();
    if (!terminal) return false;
    try {
        base::write_all(terminal.get(),
                        fmt::format("\nLog in here within ten minutes (the link works once; "
                                    "\"oauth3 login-link\" makes another):\n\n  {}\n\n",
                                    url));
    } catch (const base::Error&) {
        return false;
    }
    return true;
}

}  // namespace oauth3::api
