#pragma once

namespace oauth3::cli {

/// How the program ends: the table of wire section 11.
enum class ExitCode : int {
    ok = 0,
    failed = 1,            ///< the run failed, or any error without a number of its own
    usage = 2,             ///< the command line makes no sense
    denied = 3,            ///< denied, expired, or cancelled before it started
    authentication = 4,    ///< no key, a wrong key, or not allowed
    awaiting_secrets = 5,  ///< approved, but a secret is missing
    unreachable = 6,       ///< no answer from the server
    timeout = 124,         ///< the time of --timeout is over; the request lives on
    interrupted = 130,     ///< Ctrl-C; the request lives on
};

}  // namespace oauth3::cli
