#include "base/error.h"

#include <cerrno>
#include <system_error>

namespace oauth3::base {

std::string errno_text(int number) {
    return std::generic_category().message(number);
}

SystemError::SystemError(int number, const std::string& action, std::string hint)
    : Error("system", action + ": " + errno_text(number), std::move(hint)), number_(number) {}

void throw_errno(const std::string& action) {
    throw SystemError(errno, action);
}

}  // namespace oauth3::base
