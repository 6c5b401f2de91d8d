#include "cli/render_policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>

namespace oauth3::cli {
namespace {

using base::Json;

/// True iff the object has no other members than these: nothing of others is shown as what it is
/// not.
bool has_only(const Json& object, std::initializer_list<std::string_view> names) {
    if (!object.is_object()) return false;
    for (const auto& [name, value] : object.items())
        if (std::find(names.begin(), names.end(), name) == names.end()) return false;
    return true;
}

bool is_text_list(const Json* value) {
    return value != nullptr && value->is_array() &&
           std::all_of(value->begin(), value->end(), [](const Json& v) { return v.is_string(); });
}

/// "at most 60 s a run".
std::string seconds_text(const Json& value, std::string_view after) {
    return fmt::format("at most {} s{}", value_text(value), after);
}

}  // namespace

std::string rule_text(const Json& rule) {
    const Json* const methods = member(rule, "methods");
    const Json* const except = member(rule, "except");
    const Json* const paths = member(rule, "paths");
    if (!has_only(rule, {"host", "methods", "except", "paths"}) ||
        (methods != nullptr && !is_text_list(methods)) ||
        (except != nullptr && !is_text_list(except)) || (paths != nullptr && !is_text_list(paths)))
        return value_text(rule);
    std::string out = methods != nullptr  ? value_text(*methods)
                      : except != nullptr ? "all but " + value_text(*except)
                                          : "*";
    const std::string host = text_of(rule, "host");
    out += " " + (host.empty() ? std::string("every host") : shown(host)) + " ";
    return out + (paths == nullptr ? "/**" : value_text(*paths));
}

std::string typed_arg_text(const Json& arg) {
    const std::string param = text_of(arg, "param");
    const Json* const pattern = member(arg, "pattern");
    const std::string op = text_of(arg, "op");
    if (has_only(arg, {"param", "pattern", "type"}) && !param.empty() && pattern != nullptr)
        return shown(param) + " matches " + value_text(*pattern);
    if (has_only(arg, {"param", "op", "value", "type"}) && !param.empty() && !op.empty() &&
        arg.contains("value"))
        return shown(param) + " " + shown(op) + " " + shown(base::dump_json(arg["value"]));
    return value_text(arg);
}

std::string budgets_text(const Json& budgets) {
    const Json* const uses = member(budgets, "secret_uses");
    if (!has_only(budgets, {"requests", "bytes", "secret_uses"}) ||
        (uses != nullptr && !uses->is_object()))
        return value_text(budgets);
    std::string out;
    const auto add = [&out](const std::string& part) { out += (out.empty() ? "" : ", ") + part; };
    if (const Json* const n = member(budgets, "requests")) add(value_text(*n) + " requests");
    if (const Json* const n = member(budgets, "bytes")) add(value_text(*n) + " bytes");
    if (uses != nullptr)
        for (const auto& [name, n] : uses->items()) add(value_text(n) + " uses of " + shown(name));
    return out.empty() ? "none" : out;
}

void show_list(Sheet& sheet, std::string_view label, const char* name,
               std::string (*text)(const Json&), std::string_view nothing) {
    const Json* const list = sheet.take(name);
    if (list != nullptr && !list->is_array()) {
        sheet.line(label, value_text(*list));
        return;
    }
    if (list == nullptr || list->empty()) {
        if (!nothing.empty()) sheet.line(label, nothing);
        return;
    }
    for (const Json& item : *list) {
        sheet.line(label, text(item));
        label = "";
    }
}

void show_constraints(Sheet& sheet) {
    const Json* const texts = sheet.take("constraints");
    const Json* list = sheet.take("structured_constraints");
    if (list == nullptr || !list->is_array() || (texts != nullptr && texts->size() != list->size()))
        list = texts;
    if (list == nullptr || !list->is_array() || list->empty()) {
        sheet.line("Constraints:", "none");
        return;
    }
    std::string_view label = "Constraints:";
    for (const Json& item : *list) {
        show_constraint(sheet, label, item);
        label = "";
    }
}

std::string render_explanation(const Json& document, bool colour) {
    const Style style(colour);
    Sheet sheet(document, style);
    sheet.raw(style.bold("What this scope would allow") + "\n");
    if (const Json* const policy = sheet.take("policy")) {
        Sheet inner(*policy, style);
        inner.show("Asks for:", "description");
        show_constraints(inner);
        inner.show("Secrets:", "allowedSecrets");
        inner.show("Networks:", "allowedNetworks");
        for (const char* name : {"rules", "secret_hosts", "any_code"}) inner.take(name);
        sheet.raw(inner.text());
        if (const Json* const cut = sheet.take("cut_away")) {
            Sheet gone(*cut, style);
            for (const char* name : {"networks", "secrets"})
                if (const Json* const list = gone.take(name); list != nullptr && !list->empty())
                    sheet.line("Cut away:", style.warning(value_text(*list)));
        }
        show_list(sheet, "Calls:", "rules_in_force", &rule_text, "none");
        Sheet limits(*policy, style);
        show_list(limits, "Args must be:", "args", &typed_arg_text, "");
        if (const Json* const timeout = limits.take("max_timeout"))
            limits.line("Timeout:", seconds_text(*timeout, " a run"));
        const Json* const runs = limits.take("max_runs");
        limits.line("Runs:", runs == nullptr ? "no limit" : "at most " + value_text(*runs));
        if (const Json* const budgets = limits.take("budgets"); budgets && !budgets->empty())
            limits.line("Budgets:", budgets_text(*budgets));
        const Json* const lasts = sheet.take("lasts");
        const Json* const idle = sheet.take("idle");
        if (lasts != nullptr && idle != nullptr)
            limits.line("Lasts:", seconds_text(*lasts, ", and ") + value_text(*idle) +
                                      " s after the last run");
        limits.show("Known code:", "code_hashes");
        sheet.raw(limits.text());
    }
    const Json* const any = sheet.take("any_code");
    sheet.line("Other code:", any != nullptr && *any == true
                                  ? style.warning("runs without asking, if it keeps to all this")
                                  : "asks each time");
    show_list(sheet, "", "why_not_any_code", &value_text, "");
    show_list(sheet, "Warnings:", "warnings", &value_text, "");
    sheet.rest();
    return sheet.text();
}

std::string render_verdict(const Json& document, bool colour) {
    const Style style(colour);
    Sheet sheet(document, style);
    const Json* const fits = sheet.take("fits");
    if (fits != nullptr && *fits == true) {
        sheet.raw(style.bold("Fits: it would run without asking") + "\n");
        if (const Json* const grant = sheet.take("grant")) {
            Sheet inner(*grant, style);
            inner.show("Secrets:", "secrets");
            inner.show("Networks:", "networks");
            show_list(inner, "Calls:", "rules", &rule_text, "none");
            Sheet held(document, style);
            show_list(held, "And only:", "limits", &value_text, "");
            inner.raw(held.text());
            sheet.take("limits");
            if (const Json* const timeout = inner.take("timeout"))
                inner.line("Timeout:", seconds_text(*timeout, ""));
            inner.show("Code hash:", "code_hash");
            sheet.raw(inner.text());
        }
    } else {
        sheet.raw(style.bold("Does not fit: a human would be asked") + "\n");
        show_list(sheet, "Violations:", "policy_violations", &value_text, "none");
        sheet.take("policy_gaps");
    }
    show_list(sheet, "Warnings:", "warnings", &value_text, "");
    sheet.rest();
    return sheet.text();
}

std::string render_phrases(const Json& document, bool colour) {
    const Style style(colour);
    std::string out;
    const Json* const rows = member(document, "phrases");
    if (rows == nullptr) return out;
    for (const Json& row : *rows) {
        std::string kind = text_of(row, "class");
        std::transform(kind.begin(), kind.end(), kind.begin(), [](char c) {
            return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
        });
        Sheet sheet(row, style);
        sheet.line(kind, value_text(row.value("compiles", Json(""))));
        if (const std::string remark = text_of(row, "remark"); !remark.empty())
            sheet.line("", style.warning("not checked: " + shown(remark)));
        for (const Json& form : row.value("forms", Json::array()))
            sheet.line("", style.dim("- ") + value_text(form));
        out += sheet.text() + "\n";
    }
    return out + "Any other text is ADVISORY: it is shown to the human, and nothing checks it.\n";
}

std::string render_backtest(const Json& backtest, const Style& style) {
    /// So many of what would have been let through are listed.
    constexpr std::size_t kMostListed = 10;
    const Json* const considered = member(backtest, "considered");
    const Json* const allowed = member(backtest, "would_allow");
    if (considered == nullptr || allowed == nullptr || !allowed->is_array()) return {};
    std::string out = style.bold("Would have let through") + "\n";
    const Json* const denied = member(backtest, "would_allow_denied");
    const std::string count = denied == nullptr ? "0" : value_text(*denied);
    std::string summary =
        fmt::format("of the last {} programs of this agent {} ({} of which a human denied)",
                    value_text(*considered), allowed->size(), count);
    out += wrapped(count == "0" ? summary : style.alarm(summary), 0) + "\n";

    std::vector<const Json*> rows;
    for (const Json& row : *allowed) rows.push_back(&row);
    const auto is_denied = [](const Json* row) {
        const Json* const value = member(*row, "denied_by_human");
        return value != nullptr && *value == true;
    };
    std::stable_partition(rows.begin(), rows.end(), is_denied);
    const std::size_t listed = std::min(rows.size(), kMostListed);
    for (std::size_t i = 0; i < listed; ++i) {
        const Json& row = *rows[i];
        std::string line = "  " + shown(text_of(row, "request_id")) + "  ";
        if (is_denied(rows[i])) line += style.alarm("DENIED BY A HUMAN") + "  ";
        line += shown(text_of(row, "skill_id"));
        if (const Json* const created = member(row, "created_at"))
            line += style.dim("  " + when(*created));
        out += wrapped(line, 4) + "\n";
    }
    if (listed < rows.size()) out += fmt::format("  and {} more\n", rows.size() - listed);
    return out;
}

}  // namespace oauth3::cli
