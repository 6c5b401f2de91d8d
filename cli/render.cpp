#include "cli/render.h"

#include "base/crypto.h"
#include "base/utf8.h"

#include <fmt/format.h>

#include <chrono>
#include <ctime>
#include <set>

namespace oauth3::cli {
namespace {

using base::Json;

constexpr std::size_t kLabelWidth = 14;

/// Colours, or none.
class Style {
  public:
    explicit Style(bool colour) : colour_(colour) {}
    std::string bold(std::string_view text) const { return wrap("1", text); }
    std::string dim(std::string_view text) const { return wrap("2", text); }
    std::string warning(std::string_view text) const { return wrap("1;33", text); }
    std::string alarm(std::string_view text) const { return wrap("1;31", text); }

  private:
    std::string wrap(std::string_view code, std::string_view text) const {
        return colour_ ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string(text);
    }
    bool colour_;
};

std::string shown(std::string_view text) {
    return base::make_visible(text, false);
}

/// A value on one line: texts as they are, lists joined by commas, the rest as JSON.
std::string value_text(const Json& value) {
    if (value.is_string()) return shown(value.get_ref<const std::string&>());
    if (value.is_array()) {
        std::string out;
        for (const Json& item : value) out += (out.empty() ? "" : ", ") + value_text(item);
        return out.empty() ? "none" : out;
    }
    return shown(base::dump_json(value));
}

bool is_absent(const Json& object, const char* name) {
    const auto found = object.find(name);
    return found == object.end() || found->is_null();
}

const Json* member(const Json& object, const char* name) {
    return object.is_object() && !is_absent(object, name) ? &object.at(name) : nullptr;
}

std::string text_of(const Json& object, const char* name) {
    const Json* const value = member(object, name);
    return value != nullptr && value->is_string() ? value->get<std::string>() : "";
}

std::string when(const Json& value) {
    if (!value.is_number_integer()) return value_text(value);
    const auto seconds = static_cast<std::time_t>(value.get<std::int64_t>() / 1000);
    std::tm parts{};
    if (::gmtime_r(&seconds, &parts) == nullptr) return value_text(value);
    return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02} UTC", parts.tm_year + 1900,
                       parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

/// Writes the lines, and remembers which members were shown.
class Page {
  public:
    Page(const Json& document, Style style) : document_(document), style_(style) {}

    const Style& style() const { return style_; }
    void line(std::string_view label, std::string_view text) {
        out_ += style_.dim(fmt::format("{:<{}}", label, kLabelWidth)) + std::string(text) + "\n";
    }
    void raw(std::string_view text) { out_ += text; }
    /// A member of the document on one line, if it is there.
    void show(std::string_view label, const char* name) {
        seen_.insert(name);
        if (const Json* const value = member(document_, name)) line(label, value_text(*value));
    }
    void show_time(std::string_view label, const char* name) {
        seen_.insert(name);
        if (const Json* const value = member(document_, name)) line(label, when(*value));
    }
    const Json* take(const char* name) {
        seen_.insert(name);
        return member(document_, name);
    }
    /// A member that would only repeat what `said` says already is left out.
    void show_unless(const Json* said, std::string_view label, const char* name) {
        const Json* const value = take(name);
        if (value != nullptr && (said == nullptr || *said != *value))
            line(label, value_text(*value));
    }
    /// All members that nothing has shown, as JSON; null and what is empty say nothing.
    void rest() {
        for (const auto& [name, value] : document_.items())
            if (seen_.count(name) == 0 && !value.empty())
                line(shown(name) + ":", value_text(value));
    }
    std::string text() { return std::move(out_); }

  private:
    const Json& document_;
    Style style_;
    std::set<std::string> seen_;
    std::string out_;
};

bool is_scope(const Json& request) {
    return member(request, "scope_request") != nullptr;
}

void show_args(Page& page, const Json* args) {
    if (args == nullptr || (args->is_object() && args->empty())) {
        page.line("Args:", "none");
        return;
    }
    if (!args->is_object()) {
        page.line("Args:", value_text(*args));
        return;
    }
    bool first = true;
    for (const auto& [name, value] : args->items()) {
        // As JSON, for "5" and 5 are different arguments.
        page.line(first ? "Args:" : "",
                  fmt::format("{} = {}", shown(name), shown(base::dump_json(value))));
        first = false;
    }
}

void show_constraint(Page& page, std::string_view label, const Json& item) {
    std::string text = value_text(item);
    if (item.is_object() && member(item, "text") != nullptr) {
        const std::string kind = text_of(item, "class");
        const std::string compiled = text_of(item, "compiled");
        text = shown(text_of(item, "text")) + " ";
        if (kind == "advisory") {
            text += page.style().warning("[ADVISORY: oauth3 cannot check this]");
        } else {
            std::string upper = shown(kind);
            for (char& c : upper)
                if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
            text += fmt::format("[{}{}{}]", upper, compiled.empty() ? "" : ": ", shown(compiled));
        }
    }
    page.line(label, text);
}

/// Constraints come as texts and, with their classes, as objects; the latter say more.
void show_constraints(Page& page) {
    const Json* const texts = page.take("constraints");
    const Json* list = page.take("structured_constraints");
    if (list == nullptr || !list->is_array() || (texts != nullptr && texts->size() != list->size()))
        list = texts;
    if (list == nullptr || !list->is_array() || list->empty()) {
        page.line("Constraints:", "none");
        return;
    }
    bool first = true;
    for (const Json& item : *list) {
        show_constraint(page, first ? "Constraints:" : "", item);
        first = false;
    }
}

void show_scope(Page& page, const Json& scope) {
    Page inner(scope, page.style());
    inner.show("Asks for:", "description");
    inner.show("Secrets:", "secrets");
    inner.show("Networks:", "networks");
    if (const Json* const timeout = inner.take("max_timeout"))
        inner.line("Timeout:", "at most " + value_text(*timeout) + " s a run");
    if (const Json* const ttl = inner.take("expires_in"))
        inner.line("Lasts:", "at most " + value_text(*ttl) + " s");
    show_constraints(inner);
    inner.show("Missing:", "missing_secrets");
    inner.show("Session:", "session_id");
    inner.rest();
    page.raw(inner.text());
}

void show_metadata(Page& page) {
    const Json* const metadata = page.take("metadata");
    if (metadata == nullptr || !metadata->is_object()) return;
    Page inner(*metadata, page.style());
    inner.show("Header says:", "skill");
    inner.show("", "description");
    inner.show("  secrets:", "secrets");
    inner.show("  network:", "network");
    if (const Json* const timeout = inner.take("timeout"))
        inner.line("  timeout:", value_text(*timeout) + " s");
    inner.rest();
    page.raw(inner.text());
}

void show_code(Page& page, std::string_view code) {
    std::size_t lines = 1;
    for (const char c : code) lines += c == '\n' ? 1 : 0;
    if (!code.empty() && code.back() == '\n') --lines;
    page.raw(page.style().bold(fmt::format("Code ({} line{}, {} bytes)", lines,
                                           lines == 1 ? "" : "s", code.size())) +
             "\n");
    const std::size_t width = std::to_string(lines).size();
    for (std::size_t number = 1; number <= lines; ++number) {
        const std::size_t end = std::min(code.find('\n'), code.size());
        page.raw(page.style().dim(fmt::format("{:>{}} | ", number, width)) +
                 base::make_visible(code.substr(0, end), true) + "\n");
        code.remove_prefix(std::min(end + 1, code.size()));
    }
}

}  // namespace

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
    Page page(request, style);
    const bool scope = is_scope(request);
    const Json* const id = page.take("id");
    page.raw(style.bold(fmt::format("{} {}", scope ? "Scope" : "Execution",
                                    id == nullptr ? "?" : value_text(*id))) +
             "\n");
    page.take("kind");
    page.show("Status:", "status");
    if (const Json* const state = page.take("state"))
        if (state->is_string() && *state != request.value("status", Json()))
            page.line("", "(" + value_text(*state) + ")");
    page.show("Agent:", "agent");
    page.line("", style.dim("(what the agent calls itself; nobody has checked it)"));
    page.show("Tenant:", "tenant_id");
    page.show("Skill:", "skill_id");
    if (const Json* const other = page.take("declared_id"))
        page.line("", style.warning("but the code calls itself " + value_text(*other)));
    const Json* const asked = page.take("scope_request");
    const auto said = [&](const char* name) {
        return asked == nullptr ? nullptr : member(*asked, name);
    };
    if (asked != nullptr) show_scope(page, *asked);
    page.show_unless(said("description"), "Description:", "description");
    page.show_unless(said("secrets"), "Secrets:", "secrets");
    page.show_unless(said("networks"), "Networks:", "networks");
    const Json* const timeout = page.take("timeout");
    if (timeout != nullptr && !scope) page.line("Timeout:", value_text(*timeout) + " s");
    const Json* const args = page.take("args");
    if (!scope || (args != nullptr && !args->empty())) show_args(page, args);
    page.show_unless(said("session_id"), "Session:", "session_id");
    for (const char* name : {"policy_violations", "warnings"})
        if (const Json* const list = page.take(name))
            for (const Json& item : *list)
                page.line(name == std::string_view("warnings") ? "Warning:" : "Not covered:",
                          style.warning(value_text(item)));
    show_metadata(page);
    page.show("Source:", "source_url");
    page.show_time("Created:", "created_at");
    page.show_time("Expires:", "expires_at");
    page.show_time("Decided:", "approved_at");
    page.show_time("Started:", "executed_at");
    page.show_time("Ended:", "completed_at");
    page.show("Error:", "error");
    page.show("Code hash:", "code_hash");
    const Json* const code = page.take("code");
    page.rest();
    if (code != nullptr && code->is_string()) {
        if (!code_matches_hash(request))
            page.raw(style.alarm("THE CODE BELOW IS NOT THE CODE OF THIS HASH") + "\n");
        show_code(page, code->get_ref<const std::string&>());
    }
    return page.text();
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
        out += style.bold(shown(text_of(request, "id"))) + (scope ? "  scope  " : "  execution  ") +
               shown(what);
        if (!who.empty()) out += style.dim("  by ") + shown(who);
        if (const Json* const created = member(request, "created_at"))
            out += style.dim("  since ") + when(*created);
        out += "\n";
    }
    return out;
}

}  // namespace oauth3::cli
