#include "cli/failure.h"

#include <fmt/format.h>

namespace oauth3::cli {
namespace {

std::string_view code_word(ClientErrorKind kind) {
    switch (kind) {
        case ClientErrorKind::unreachable:
            return "server_unreachable";
        case ClientErrorKind::timeout:
            return "timeout";
        case ClientErrorKind::authentication:
            return "authentication";
        case ClientErrorKind::interrupted:
            return "interrupted";
        case ClientErrorKind::refused:
            return "refused";
        case ClientErrorKind::protocol:
            return "bad_reply";
    }
    return {};
}

bool is_submission_in_doubt(const ClientError& error) {
    return error.maybe_sent() && !error.idempotency_key().empty();
}

}  // namespace

ExitCode exit_code_of(ClientErrorKind kind) {
    switch (kind) {
        case ClientErrorKind::unreachable:
            return ExitCode::unreachable;
        case ClientErrorKind::timeout:
            return ExitCode::timeout;
        case ClientErrorKind::authentication:
            return ExitCode::authentication;
        case ClientErrorKind::interrupted:
            return ExitCode::interrupted;
        case ClientErrorKind::refused:
        case ClientErrorKind::protocol:
            return ExitCode::failed;
    }
    return ExitCode::failed;
}

std::string hint_of(const ClientError& error) {
    // The server's own hint speaks of the API.
    if (error.code() == "tenant_required")
        return "Name the agent with --tenant; 'oauth3 tenant list' shows the ids.";
    if (!is_submission_in_doubt(error)) return error.hint();
    return fmt::format(
        "It may have been submitted: the same command goes on with --idempotency-key {}",
        error.idempotency_key());
}

base::Json error_document(const ClientError& error) {
    base::Json document;
    if (!error.json().empty()) {
        document = base::parse_json(error.json());
    } else {
        document = {{"error", error.what()}, {"code", code_word(error.kind())}};
        if (const std::string hint = hint_of(error); !hint.empty()) document["hint"] = hint;
    }
    if (is_submission_in_doubt(error)) document["idempotency_key"] = error.idempotency_key();
    if (!error.request_id().empty()) document["request_id"] = error.request_id();
    return document;
}

}  // namespace oauth3::cli
