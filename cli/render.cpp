#include "cli/render.h"

#include "base/crypto.h"
#include "base/utf8.h"
#include "cli/render_policy.h"
#include "cli/sheet.h"

#include <fmt/format.h>

#include <algorithm>

namespace oauth3::cli {
namespace {

using base::Json;

bool is_scope(const Json& request) {
    return member(request, "scope_request") != nullptr;
}

void show_args(Sheet& sheet, const Json* args) {
    if (args == nullptr || (args->is_object() && args->empty())) {
        sheet.line("Args:", "none");
        return;
    }
    if (!args->is_object()) {
        sheet.line("Args:", value_text(*args));
        return;
    }
    bool first = true;
    for (const auto& [name, value] : args->items()) {
        // As JSON, for "5" and 5 are different arguments.
        sheet.line(first ? "Args:" : "",
                   fmt::format("{} = {}", shown(name), shown(base::dump_json(value))));
        first = false;
    }
}

void show_scope(Sheet& sheet, const Json& scope) {
    Sheet inner(scope, sheet.style());
    inner.show("Asks for:", "description");
    inner.show("Secrets:", "secrets");
    inner.show("Networks:", "networks");
    if (const Json* const timeout = inner.take("max_timeout"))
        inner.line("Timeout:", "at most " + value_text(*timeout) + " s a run");
    if (const Json* const ttl = inner.take("expires_in"))
        inner.line("Lasts:", "at most " + value_text(*ttl) + " s");
    const Json* const runs = inner.take("max_runs");
    inner.line("Runs:", runs == nullptr ? "no limit" : "at most " + value_text(*runs));
    show_constraints(inner);
    show_list(inner, "Calls:", "rules", &rule_text, "everything on its networks");
    show_list(inner, "Args must be:", "args", &typed_arg_text, "");
    if (const Json* const budgets = inner.take("budgets"); budgets != nullptr && !budgets->empty())
        inner.line("Budgets:", budgets_text(*budgets));
    if (const Json* const any = inner.take("any_code"); any != nullptr)
        inner.line("Other code:", *any == true
                                      ? inner.style().warning("runs without asking, if it keeps "
                                                              "to all this")
                                      : "asks each time");
    inner.show("Missing:", "missing_secrets");
    inner.show("Session:", "session_id");
    inner.rest();
    sheet.raw(inner.text());
}

void show_metadata(Sheet& sheet) {
    const Json* const metadata = sheet.take("metadata");
    if (metadata == nullptr || !metadata->is_object()) return;
    Sheet inner(*metadata, sheet.style());
    inner.show("Header says:", "skill");
    inner.show("", "description");
    inner.show("  secrets:", "secrets");
    inner.show("  network:", "network");
    if (const Json* const timeout = inner.take("timeout"))
        inner.line("  timeout:", value_text(*timeout) + " s");
    inner.rest();
    sheet.raw(inner.text());
}

std::size_t lines_of(std::string_view code) {
    const auto ends = static_cast<std::size_t>(std::count(code.begin(), code.end(), '\n'));
    return !code.empty() && code.back() == '\n' ? ends : ends + 1;
}

std::string size_text(std::string_view code) {
    const std::size_t lines = lines_of(code);
    return fmt::format("{} line{}, {} bytes", lines, lines == 1 ? "" : "s", code.size());
}

void show_violations(Sheet& sheet) {
    if (const Json* const list = sheet.take("policy_violations"))
        for (const Json& item : *list)
            sheet.line("Not covered:", sheet.style().warning(value_text(item)));
}

/// What a reviewer said, if there is one.
void show_review(Sheet& sheet) {
    const Json* const review = sheet.take("review");
    if (review == nullptr) return;
    Sheet inner(*review, sheet.style());
    const Json* const verdict = inner.take("verdict");
    const Json* const failed = inner.take("failed");
    std::string text = verdict == nullptr                     ? value_text(*review)
                       : failed != nullptr && *failed == true ? "no second opinion was to be had"
                                                              : value_text(*verdict);
    if (const Json* const reason = inner.take("reason"); reason && !reason->empty())
        text += ": " + value_text(*reason);
    const bool fine = verdict != nullptr && *verdict == "no_objection";
    sheet.line("Reviewer:", fine ? text : sheet.style().warning(text));
    if (review->is_object()) inner.rest();
    sheet.raw(inner.text());
}

void show_code(Sheet& sheet, std::string_view code) {
    const std::size_t lines = lines_of(code);
    sheet.raw(sheet.style().bold(fmt::format("Code ({})", size_text(code))) + "\n");
    const std::size_t width = std::to_string(lines).size();
    for (std::size_t number = 1; number <= lines; ++number) {
        const std::size_t end = std::min(code.find('\n'), code.size());
        sheet.raw(sheet.style().dim(fmt::format("{:>{}} | ", number, width)) +
                  wrapped(base::make_visible(code.substr(0, end), true), width + 3) + "\n");
        code.remove_prefix(std::min(end + 1, code.size()));
    }
}

}  // namespace

bool waits_for_decision(const Json& request) {
    const Json status = request.value("status", Json());
    return status == "pending" || status == "pending_scope";
}

bool code_matches_hash(const Json& request) {
    const std::string code = text_of(request, "code");
    if (code.empty()) return true;
    return base::equal_constant_time(base::sha256_hex(code), text_of(request, "code_hash"));
}

std::string essence(const Json& request) {
    Json out = request;
    for (const char* name :
         {"status", "state", "result", "error", "analysis", "approved_at", "executed_at",
          "completed_at", "missing_secrets", "authority", "level", "grant"})
        out.erase(name);
    return base::canonical_json(out);
}

std::string render_request(const Json& request, bool colour) {
    const Style style(colour);
    Sheet sheet(request, style);
    const bool scope = is_scope(request);
    const Json* const id = sheet.take("id");
    sheet.raw(style.bold(fmt::format("{} {}", scope ? "Scope" : "Execution",
                                     id == nullptr ? "?" : value_text(*id))) +
              "\n");
    sheet.take("kind");
    sheet.take("session_digest");
    sheet.show("Status:", "status");
    if (const Json* const state = sheet.take("state"))
        if (state->is_string() && *state != request.value("status", Json()))
            sheet.line("", "(" + value_text(*state) + ")");
    sheet.show("Agent:", "agent");
    sheet.line("", style.dim("(what the agent calls itself; nobody has checked it)"));
    sheet.show("Tenant:", "tenant_id");
    sheet.show("Skill:", "skill_id");
    if (const Json* const other = sheet.take("declared_id"))
        sheet.line("", style.warning("but the code calls itself " + value_text(*other)));
    const Json* const asked = sheet.take("scope_request");
    const auto said = [&](const char* name) {
        return asked == nullptr ? nullptr : member(*asked, name);
    };
    if (asked != nullptr) show_scope(sheet, *asked);
    sheet.show_unless(said("description"), "Description:", "description");
    sheet.show_unless(said("secrets"), "Secrets:", "secrets");
    sheet.show_unless(said("networks"), "Networks:", "networks");
    const Json* const timeout = sheet.take("timeout");
    if (timeout != nullptr && !scope) sheet.line("Timeout:", value_text(*timeout) + " s");
    const Json* const args = sheet.take("args");
    if (!scope || (args != nullptr && !args->empty())) show_args(sheet, args);
    sheet.show_unless(said("session_id"), "Session:", "session_id");
    show_violations(sheet);
    show_review(sheet);
    if (const Json* const list = sheet.take("warnings"))
        for (const Json& item : *list) sheet.line("Warning:", style.warning(value_text(item)));
    show_metadata(sheet);
    sheet.show("Source:", "source_url");
    sheet.show_time("Created:", "created_at");
    sheet.show_time("Expires:", "expires_at");
    sheet.show_time("Decided:", "approved_at");
    sheet.show_time("Started:", "executed_at");
    sheet.show_time("Ended:", "completed_at");
    sheet.show("Error:", "error");
    sheet.show("Code hash:", "code_hash");
    const Json* const code = sheet.take("code");
    const Json* const backtest = sheet.take("backtest");
    sheet.rest();
    if (backtest != nullptr) sheet.raw(render_backtest(*backtest, style));
    if (code != nullptr && code->is_string()) {
        if (!code_matches_hash(request))
            sheet.raw(style.alarm("THE CODE BELOW IS NOT THE CODE OF THIS HASH") + "\n");
        show_code(sheet, code->get_ref<const std::string&>());
    }
    return sheet.text();
}

std::string render_in_short(const Json& request, bool colour) {
    const Style style(colour);
    Sheet sheet(request, style);
    sheet.raw(style.bold("In short") + "\n");
    sheet.show("Request:", "id");
    const Json* const scope = member(request, "scope_request");
    const Json& asked = scope == nullptr ? request : *scope;
    const auto text = [&asked](const char* name) {
        const Json* const value = member(asked, name);
        return value == nullptr ? std::string("none") : value_text(*value);
    };
    sheet.line("Secrets:", text("secrets"));
    sheet.line("Networks:", text("networks"));
    if (const Json* const most = member(asked, scope == nullptr ? "timeout" : "max_timeout"))
        sheet.line("Timeout:", value_text(*most) + " s");
    sheet.line("Session:", text("session_id"));
    show_violations(sheet);
    const std::string code = text_of(request, "code");
    sheet.line("Code:", code.empty() ? std::string("none") : size_text(code));
    return sheet.text();
}

std::string render_pending(const Json& requests, bool colour) {
    const Style style(colour);
    if (requests.empty()) return "Nothing waits for a decision.\n";
    std::string out;
    for (const Json& request : requests) {
        if (!request.is_object()) continue;
        const bool scope = is_scope(request) || text_of(request, "kind") == "scope";
        std::string what = text_of(request, "skill_id");
        if (what.empty()) what = text_of(request, "description");
        std::string who = text_of(request, "agent");
        if (who.empty()) who = text_of(request, "tenant_id");
        std::string line = style.bold(shown(text_of(request, "id"))) +
                           (scope ? "  scope  " : "  execution  ") + shown(what);
        if (!who.empty()) line += style.dim("  by ") + shown(who);
        if (const Json* const created = member(request, "created_at"))
            line += style.dim("  since ") + when(*created);
        out += wrapped(line, 4) + "\n";
    }
    return out;
}

}  // namespace oauth3::cli
