#pragma once

#include "e2e/harness.h"

#include <string>
#include <utility>
#include <vector>

namespace oauth3::e2e {

using Form = std::vector<std::pair<std::string, std::string>>;

/// Fields as application/x-www-form-urlencoded.
std::string encode_form(const Form& form);

/// The value of the first input with this name on a page; "" if there is none.
std::string input_value(const std::string& page, const std::string& name);

/// What a human's browser does, without drawing anything: it keeps cookies and sends forms.
class Browser {
  public:
    explicit Browser(const Server& server) : server_(server) {}

    Reply get(const std::string& path);
    /// Sends a form as it stands, with Origin as browsers do.
    Reply post(const std::string& path, const Form& form);

    /// Logs in by POST /login; the reply, which is 303 if it worked.
    Reply log_in_by_key(const std::string& key, const std::string& next = "");
    Reply log_in_by_link(const std::string& once, const std::string& next = "");

    /// The CSRF value of the pages, once logged in.
    const std::string& csrf();
    /// The value of the log-in cookie; "" without one.
    std::string session() const;
    /// The Cookie header, as a line.
    std::string cookie_line() const;

  private:
    Reply call(Call call);
    void keep_cookies(const Reply& reply);

    const Server& server_;
    std::vector<std::pair<std::string, std::string>> cookies_;
    std::string csrf_;
};

}  // namespace oauth3::e2e
