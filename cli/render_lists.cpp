#include "cli/render_lists.h"

#include "base/utf8.h"
#include "cli/render_policy.h"
#include "cli/sheet.h"

#include <fmt/format.h>

#include <algorithm>

namespace oauth3::cli {
namespace {

using base::Json;

/// Bytes of an event's detail in a list for humans; its document has all.
constexpr std::size_t kMostDetail = 160;

std::string cell(const Json& row, const Column& column) {
    const Json* const value = member(row, column.name);
    if (value == nullptr) return "-";
    const std::string text = column.is_time ? when(*value) : value_text(*value);
    return text.empty() ? "-" : text;
}

void pad(std::string& line, std::size_t from, std::size_t width) {
    const std::size_t length = base::utf8_length(std::string_view(line).substr(from));
    line.append(width > length ? width - length : 0, ' ');
}

}  // namespace

std::string render_table(const Json& rows, const std::vector<Column>& columns,
                         std::string_view nothing, bool colour) {
    if (!rows.is_array() || rows.empty()) return std::string(nothing) + "\n";
    std::vector<std::vector<std::string>> cells;
    std::vector<std::size_t> widths;
    for (const Column& column : columns) widths.push_back(column.heading.size());
    for (const Json& row : rows) {
        auto& line = cells.emplace_back();
        for (std::size_t i = 0; i < columns.size(); ++i) {
            line.push_back(cell(row, columns[i]));
            widths[i] = std::max(widths[i], base::utf8_length(line.back()));
        }
    }
    const auto join = [&](const auto& text_of_column) {
        std::string line;
        for (std::size_t i = 0; i < columns.size(); ++i) {
            const std::size_t from = line.size();
            line += text_of_column(i);
            if (i + 1 < columns.size()) pad(line, from, widths[i] + 2);
        }
        return line;
    };
    const Style style(colour);
    std::string out =
        style.bold(join([&](std::size_t i) { return std::string(columns[i].heading); })) + "\n";
    for (const auto& line : cells) out += join([&](std::size_t i) { return line[i]; }) + "\n";
    return out;
}

std::string render_session(const Json& session, bool colour) {
    const Style style(colour);
    Sheet sheet(session, style);
    sheet.raw(style.bold("Session " + shown(text_of(session, "session_id"))) + "\n");
    sheet.take("session_id");
    sheet.show("Tenant:", "tenant_id");
    sheet.show_time("Created:", "created_at");
    sheet.show_time("Last used:", "last_activity");
    sheet.show_time("Ends:", "expires_at");
    sheet.take("age_minutes");
    sheet.take("idle_minutes");
    sheet.show("Runs:", "runs_used");
    const Json* const policy = sheet.take("policy");
    if (policy != nullptr && policy->is_object()) {
        Sheet inner(*policy, style);
        inner.show("Allows:", "description");
        inner.show("Secrets:", "allowedSecrets");
        inner.show("Networks:", "allowedNetworks");
        std::string_view label = "Constraints:";
        if (const Json* const list = inner.take("constraints"))
            for (const Json& item : *list) {
                show_constraint(inner, label, item);
                label = "";
            }
        show_list(inner, "Calls:", "rules", &rule_text, "");
        show_list(inner, "Args must be:", "args", &typed_arg_text, "");
        if (const Json* const budgets = inner.take("budgets"); budgets && !budgets->empty())
            inner.line("Budgets:", budgets_text(*budgets));
        if (const Json* const any = inner.take("any_code"); any != nullptr && *any == true)
            inner.line("Code:", style.warning("any code that keeps to the rules"));
        inner.show("Code hashes:", "code_hashes");
        if (const Json* const timeout = inner.take("max_timeout"))
            inner.line("Timeout:", "at most " + value_text(*timeout) + " s a run");
        inner.show("Runs allowed:", "max_runs");
        inner.rest();
        sheet.raw(inner.text());
    } else if (policy != nullptr) {
        sheet.line("Allows:", value_text(*policy));
    }
    sheet.rest();
    return sheet.text();
}

std::string render_new(const Json& row, std::string_view what, bool colour) {
    const Style style(colour);
    Sheet sheet(row, style);
    sheet.raw(style.bold(fmt::format("New {}", what)) + "\n");
    const Json* const key = sheet.take("api_key");
    const Json* const invite = sheet.take("invite");
    for (const char* time : {"created_at", "expires_at"})
        sheet.show_time(time == std::string_view("created_at") ? "Created:" : "Expires:", time);
    sheet.rest();
    if (key != nullptr) sheet.piece("Key:", value_text(*key));
    if (invite != nullptr) sheet.piece("Invite:", value_text(*invite));
    if (key != nullptr || invite != nullptr)
        sheet.raw(style.warning("It is shown once and kept nowhere.") + "\n");
    return sheet.text();
}

std::string render_events(const Json& events, bool colour) {
    const Style style(colour);
    if (!events.is_array() || events.empty()) return "There are no events.\n";
    std::string out;
    for (const Json& event : events) {
        const Json* const seq = member(event, "seq");
        const Json* const at = member(event, "at");
        out += fmt::format("{:>6}  {}  {}  {}", seq == nullptr ? "?" : value_text(*seq),
                           at == nullptr ? "?" : when(*at),
                           style.bold(shown(text_of(event, "action"))),
                           shown(text_of(event, "actor")));
        for (const char* name : {"tenant_id", "request_id"})
            if (const std::string id = text_of(event, name); !id.empty()) out += "  " + shown(id);
        if (const Json* const detail = member(event, "detail"); detail && !detail->empty()) {
            const std::string text = value_text(*detail);
            const std::string_view start = base::cut_utf8(text, kMostDetail);
            out += "  " + style.dim(std::string(start) + (start.size() < text.size() ? "…" : ""));
        }
        out += "\n";
    }
    return out;
}

}  // namespace oauth3::cli
