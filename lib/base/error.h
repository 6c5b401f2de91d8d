#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace oauth3::base {

/// What is thrown when a caller cannot be expected to handle a failure at once. Expected refusals
/// (a policy that says no, an unknown id) are values, not errors.
///
/// `code` is a stable word for programs, `what()` one plain sentence for people without secret
/// values, and `hint` (may be empty) says what to do next. The text is put together here and
/// formatted where it is reported.
class Error : public std::runtime_error {
  public:
    Error(std::string code, const std::string& message, std::string hint = {})
        : std::runtime_error(message), code_(std::move(code)), hint_(std::move(hint)) {}

    const std::string& code() const { return code_; }
    const std::string& hint() const { return hint_; }

  private:
    std::string code_;
    std::string hint_;
};

/// A system call that failed: `what()` is "<action>: <text of errno>", `code` is "system".
class SystemError : public Error {
  public:
    /// `number` is the errno value, which is kept for callers that tell failures apart.
    SystemError(int number, const std::string& action, std::string hint = {});
    int number() const { return number_; }

  private:
    int number_;
};

/// Throws a SystemError for the present errno.
[[noreturn]] void throw_errno(const std::string& action);

/// The text of an errno value, thread-safe.
std::string errno_text(int number);

}  // namespace oauth3::base
