#include "cli/meaning.h"

#include "cli/render_policy.h"
#include "cli/sheet.h"

#include <algorithm>

namespace oauth3::cli {
namespace {

using base::Json;

constexpr const char* kSessionEnds =
    " The session ends 2 hours after its last run, at the latest 24 hours after it began.";

/// The server says so only of a session that lives.
bool session_lives(const Json& request) {
    return text_of(request, "session_digest") != "none";
}

bool names_nothing(const Json* list) {
    return list == nullptr || (list->is_array() && list->empty());
}

std::string what_it_keeps(const Consent& consent) {
    return consent.narrow.is_object() ? "shown above and not cut by --narrow" : "shown above";
}

std::string of_session(const Json& request, const Consent& consent) {
    if (!session_lives(request))
        return "It begins a session, in which this same code may run again without asking, also "
               "with other arguments, with no more than the secrets, networks and time " +
               what_it_keeps(consent) + "." + kSessionEnds;
    return "It widens the session that exists: this same code may run again in it without asking, "
           "also with other arguments. Its secrets, networks and time are added to those of the "
           "session, also for the code that it holds already; and it may use whatever the session "
           "holds." +
           std::string(kSessionEnds);
}

std::string of_trust(const Json& request, const Consent& consent) {
    const bool nothing =
        names_nothing(member(request, "secrets")) && names_nothing(member(request, "networks"));
    std::string out =
        "Approving lets this same code run without asking in any session of this agent, with ";
    out += nothing ? "no secrets and no networks"
                   : "exactly the secrets and networks " + what_it_keeps(consent);
    out += consent.pin_args ? ", and only with the arguments shown above; "
                            : ", and with any arguments; ";
    out += consent.level == "24h" ? "for 24 hours." : "until you revoke it (oauth3 trust revoke).";
    // Pinned arguments are not approved for the session, which takes any.
    return consent.pin_args ? out : out + " " + of_session(request, consent);
}

std::string of_scope(const Json& request, const Consent& consent) {
    const bool lives = session_lives(request);
    std::string out = lives ? "Approving widens the session" : "Approving begins a session";
    out += "; it runs nothing by itself. ";
    out += text_of(request, "code_hash").empty()
               ? "No code is approved with it. "
               : "The code shown above may then run in it without asking, with any arguments that "
                 "its rules allow. ";
    const Json* const any = member(request["scope_request"], "any_code");
    if (consent.known_code_only || (any != nullptr && *any == false)) {
        out += "Code that was not approved in the session still asks each time. ";
    } else if (any != nullptr && *any == true) {
        out +=
            "Code that nobody has read may run in it without asking, held by the constraints, "
            "rules and limits above and by nothing else; --known-code-only takes that away. ";
    } else {
        out +=
            "Unless --known-code-only is given, code that nobody has read may run in it if "
            "every constraint is ENFORCED. ";
    }
    out += "Never more than the secrets, networks, calls and time " + what_it_keeps(consent);
    return out + (lives ? " and whatever the session holds already." : ".");
}

}  // namespace

std::string meaning(const Json& request, const Consent& consent) {
    if (request.contains("scope_request")) return of_scope(request, consent);
    if (consent.level == "session")
        return "Approving runs this code now. " + of_session(request, consent);
    if (consent.level == "24h" || consent.level == "forever") return of_trust(request, consent);
    return "Approving allows exactly this code with these arguments to run once. Nothing later is "
           "allowed by it.";
}

std::string narrowing_text(const Json& narrow, bool colour) {
    if (!narrow.is_object() || narrow.empty()) return {};
    const Style style(colour);
    Sheet sheet(narrow, style);
    sheet.raw(style.bold("Cut to") + "\n");
    sheet.show("Secrets:", "secrets");
    sheet.show("Networks:", "networks");
    show_list(sheet, "Calls:", "rules", &rule_text, narrow.contains("rules") ? "none" : "");
    show_list(sheet, "Args must be:", "args", &typed_arg_text, "");
    if (const Json* const timeout = sheet.take("max_timeout"))
        sheet.line("Timeout:", value_text(*timeout) + " s");
    sheet.show("Runs:", "max_runs");
    sheet.rest();
    return sheet.text();
}

}  // namespace oauth3::cli
