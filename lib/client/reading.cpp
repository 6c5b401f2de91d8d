#include "client/reading.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace oauth3::client {
namespace {

bool is_plain(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '_' || c == '.';
}

bool true_of(const Json& document, const char* name) {
    const auto found = document.find(name);
    return found != document.end() && found->is_boolean() && found->get<bool>();
}

std::optional<RunResult> result_of(const Answer& answer) {
    const auto found = answer.document.find("result");
    if (found == answer.document.end() || found->is_null()) return std::nullopt;
    if (!found->is_object()) lacks(answer, "result");
    const auto exit_code = whole_of(*found, "exitCode");
    if (!exit_code || *exit_code < std::numeric_limits<int>::min() ||
        *exit_code > std::numeric_limits<int>::max())
        lacks(answer, "exitCode");
    RunResult out;
    out.success = true_of(*found, "success");
    out.out = text_of(*found, "stdout");
    out.err = text_of(*found, "stderr");
    out.exit_code = static_cast<int>(*exit_code);
    out.duration = std::chrono::milliseconds(whole_of(*found, "duration").value_or(0));
    return out;
}

}  // namespace

std::string text_of(const Json& document, const char* name) {
    const auto found = document.find(name);
    return found != document.end() && found->is_string() ? found->get<std::string>() : "";
}

std::optional<std::int64_t> whole_of(const Json& document, const char* name) {
    const auto found = document.find(name);
    if (found == document.end() || !found->is_number_integer()) return std::nullopt;
    constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
    if (found->is_number_unsigned() && found->get<std::uint64_t>() > kMost) return std::nullopt;
    return found->get<std::int64_t>();
}

Submission submission_of(Answer answer) {
    Submission out;
    out.request_id = text_of(answer.document, "request_id");
    out.status = text_of(answer.document, "status");
    out.session_id = text_of(answer.document, "session_id");
    out.approval_url = text_of(answer.document, "approval_url");
    if (!is_request_id(out.request_id)) lacks(answer, "request_id");
    if (out.status.empty()) lacks(answer, "status");
    out.reply = std::move(answer.reply);
    return out;
}

RequestState state_of(Answer answer, std::string_view id) {
    const Json& document = answer.document;
    RequestState out;
    out.request_id = std::string(id);
    out.status = text_of(document, "status");
    out.session_id = text_of(document, "session_id");
    out.approval_url = text_of(document, "approval_url");
    out.state = text_of(document, "state");
    out.error = text_of(document, "error");
    out.result = result_of(answer);
    if (out.status.empty()) lacks(answer, "status");
    if (document.contains("request_id") && text_of(document, "request_id") != id)
        lacks(answer, "request_id");
    const auto missing = document.find("missing_secrets");
    if (missing != document.end() && missing->is_array())
        for (const Json& name : *missing)
            if (name.is_string()) out.missing_secrets.push_back(name.get<std::string>());
    out.reply = std::move(answer.reply);
    return out;
}

DryRun dry_run_of(Answer answer) {
    // A server that ignores dry_run has submitted the request: that must not pass for a dry run.
    if (!true_of(answer.document, "dry_run")) lacks(answer, "dry_run");
    const auto found = answer.document.find("would_auto_approve");
    if (found == answer.document.end() || !found->is_boolean()) lacks(answer, "would_auto_approve");
    DryRun out;
    out.would_auto_approve = found->get<bool>();
    out.reason = text_of(answer.document, "reason");
    out.reply = std::move(answer.reply);
    return out;
}

Page page_of(Answer answer) {
    Page out;
    out.next = text_of(answer.document, "next");
    if (const auto number = whole_of(answer.document, "next")) out.next = std::to_string(*number);
    static_cast<Reply&>(out) = std::move(answer.reply);
    return out;
}

Json object_of(std::string_view text, const char* what) {
    Json out;
    try {
        out = base::parse_json(text);
    } catch (const base::JsonError& error) {
        throw std::invalid_argument(fmt::format("{} no JSON: {}", what, error.what()));
    }
    if (!out.is_object()) throw std::invalid_argument(fmt::format("{} no JSON object", what));
    return out;
}

Json body_of(const ExecuteRequest& request) {
    Json body = Json::object();
    const auto add = [&body](const char* name, const std::string& text) {
        if (!text.empty()) body[name] = text;
    };
    add("skill_id", request.skill_id);
    add("skill_code", request.skill_code);
    add("skill_url", request.skill_url);
    add("skill_sha256", request.skill_sha256);
    add("session_id", request.session_id);
    if (!request.secrets.empty()) body["secrets"] = request.secrets;
    if (!request.args_json.empty()) body["args"] = object_of(request.args_json, "the args are");
    return body;
}

std::string percent_encoded(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (is_plain(c)) {
            out += c;
        } else {
            out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
        }
    }
    return out;
}

Query& Query::add(std::string_view name, std::string_view value) {
    if (value.empty()) return *this;
    text_ += text_.empty() ? '?' : '&';
    text_ += name;
    text_ += '=';
    text_ += percent_encoded(value);
    return *this;
}

Query& Query::add(std::string_view name, int number) {
    return number > 0 ? add(name, std::string_view(std::to_string(number))) : *this;
}

std::string checked_id(std::string_view id) {
    if (!is_request_id(id)) throw std::invalid_argument("this is not the id of a request");
    return std::string(id);
}

std::string checked_session_id(std::string_view id) {
    if (id.empty() || id.size() > 64 || !std::all_of(id.begin(), id.end(), is_plain))
        throw std::invalid_argument("this is not the id of a session");
    // These two would be taken for steps in the path.
    if (id == ".") return "%2E";
    if (id == "..") return "%2E%2E";
    return std::string(id);
}

}  // namespace oauth3::client
