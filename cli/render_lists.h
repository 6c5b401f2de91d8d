#pragma once

#include "base/json.h"

#include <string>
#include <string_view>
#include <vector>

namespace oauth3::cli {

/// One column of a table: its heading and the member that stands in it.
struct Column {
    std::string_view heading = {};
    const char* name = nullptr;
    bool is_time = false;
};

/// The objects of a list, one line each, under a line of headings; `nothing` if there are none.
std::string render_table(const base::Json& rows, const std::vector<Column>& columns,
                         std::string_view nothing, bool colour);

/// One session with all it allows (wire 6.3).
std::string render_session(const base::Json& session, bool colour);

/// One new row and what is shown only once: a key or an invite.
std::string render_new(const base::Json& row, std::string_view what, bool colour);

/// Events of the audit chain, one line each, in the given order.
std::string render_events(const base::Json& events, bool colour);

}  // namespace oauth3::cli
