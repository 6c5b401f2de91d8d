#include "cli/manual_text.h"
#include "policy/phrase_forms.h"

#include <fmt/format.h>

// The sections of the manual on what may run without asking. The table of phrases is that of the
// compiler itself.

namespace oauth3::cli {
namespace {

constexpr std::string_view kScopes = R"(.SH SCOPES
A scope asks for a session: what its programs may do at most, for how long and how often. It is one
JSON object; \fBdescription\fR is required.
.TP
\fBsecrets\fR, \fBnetworks\fR
Lists of names, and of \fIhost\fR, \fIhost:port\fR or \fI*.domain\fR.
.TP
\fBrules\fR
A list of {"host", "methods", "paths"}: the only calls to that host. \fB*\fR is one segment of a
path, \fB**\fR any number of them. A network without a rule is open.
.TP
\fBargs\fR
A list of {"param", "pattern"}, which the whole argument must match, and {"param", "op", "value"},
op being one of == != < <= > >= in prefix suffix. A missing argument does not fit.
.TP
\fBconstraints\fR
A list of texts; see below.
.TP
\fBmax_runs\fR, \fBmax_timeout\fR, \fBexpires_in\fR, \fBbudgets\fR
How many runs, seconds of a run and of the session, and {"requests", "bytes", "secret_uses"} of the
whole session.
.TP
\fBskill_code\fR, \fBsession_id\fR
A program that is approved with the scope; the session to widen.
.PP
A run in the session needs no human if its secrets, networks and time are the session's, its
arguments are as \fBargs\fR says, runs are left, and its code was approved in the session. Code that
was not runs only where \fBany_code\fR is true: only scopes were approved in the session, every
constraint is ENFORCED, there is at least one constraint or rule, and no human has taken it away
(\fBapprove \-\-known\-code\-only\fR, \fBsession narrow \-\-known\-code\-only\fR).
.PP
\fBoauth3 scope explain\fR \fIFILE\fR prints what a scope comes to, and \fBoauth3 scope check\fR
whether a program fits it; neither needs a server.
.PP
Texts of \fBconstraints\fR are compared whole, without regard to letter case, blanks and a final
full stop. Those of this table become limits that hold for every run, whatever the rules say and
however the session is widened. ENFORCED: nothing passes that the text forbids. PARTLY: what it
becomes holds, but the text says more. Any other text is ADVISORY: it is shown to the human, and
oauth3 cannot check it. {HOSTS} and the like stand for what they name, joined by commas or "and",
"..." for any other words.
)";

constexpr std::string_view kRest = R"(.SH TRUST
\fBapprove \-\-level 24h\fR and \fBforever\fR trust the code itself: the same bytes run without
asking in every session of the agent, with exactly the secrets and networks that were approved, and
with any arguments unless \fB\-\-pin\-args\fR was given. More or fewer secrets or networks are not
trusted. Without \fB\-\-pin\-args\fR both levels also begin or widen the session of the request, in
which the code may run with any arguments until the session ends. \fBoauth3 trust list\fR shows what is
trusted, \fBoauth3 trust revoke\fR ends it at once.
.PP
Of an undecided request \fBoauth3 show\fR tells which of the agent's last programs its approval would
have let through: a scope that would have let through what a human denied is too wide.
.SH POLICY TESTS
\fBoauth3 policy test\fR \fIFOLDER\fR runs each file of the folder that ends in
.IR .json :
.PP
.nf
    {"name": "reads one repository",
     "scope_file": "parts/scope.json",
     "request": {"code_file": "parts/read.ts", "args": {"REPO": "acme/site"}},
     "expect": "fits",
     "calls": [{"method": "GET", "expect": "allow",
                "url": "https://api.github.com/repos/acme/site/issues"},
               {"method": "POST", "expect": "deny",
                "url": "https://api.github.com/repos/acme/site/issues"}]}
.fi
.PP
\fBscope\fR and \fBcode\fR may stand in the case instead of \fBscope_file\fR and \fBcode_file\fR, which
name files in the folder or below it; \fBrequest\fR may have \fBsecrets\fR. With \fBexpect\fR
\fBviolates\fR, \fBviolations\fR may list exactly what the server would say. \fBcalls\fR are held
against what the run would get: hosts, rules and limits; addresses are not looked up.
.SH A SECOND OPINION
With \fBserve \-\-review\-command\fR a command of the administrator is asked about each request, also
of those that would run without asking: they wait for it. It can only take away. It runs as \fB/bin/sh \-c\fR \fICOMMAND\fR, outside of
any jail and with the server's rights, gets the request as JSON on standard input, and answers on
standard output, within \fB\-\-review\-timeout\fR and with exit status 0, exactly one JSON object of at
most 64 KiB:
.PP
.nf
    {"verdict": "no_objection", "reason": "at most 500 characters, or left out"}
.fi
.PP
.TP
\fBno_objection\fR
The request goes the way it would have gone: to its session or its trust if it fits, else to a human.
Nothing that a command says approves anything.
.TP
\fBask\fR
A human has to decide, whatever would have let the request through, and is shown the reason.
.TP
\fBdeny\fR
The request is denied with the reason, unless a human was faster.
.PP
The request holds request_id, kind (execute or scope), tenant_id, session_id, session_exists,
would_auto_approve, policy_violations, skill_id, description, code_hash, code, args, secrets (names),
networks, timeout, warnings, and of a scope also scope, with all that it compiled to.
.PP
Another verdict or member, another exit status, a signal, too much output or the end of the time is
no opinion, and counts as \fBask\fR. The command's environment holds PATH, HOME, LANG and TMPDIR only;
what it leaves running is killed. Most of the request is what an agent wrote: a command that hands it to a
language model has to expect that it tries to talk its way through.
)";

std::string upper(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    return out;
}

/// The page is ASCII, for any groff.
std::string ascii(std::string_view text) {
    constexpr std::string_view kOtherWords = "…";
    std::string out(text);
    for (std::size_t at = 0; (at = out.find(kOtherWords, at)) != std::string::npos;)
        out.replace(at, kOtherWords.size(), "...");
    return out;
}

std::string row_text(const policy::PhraseRow& row) {
    std::string forms;
    for (const std::string_view form : policy::forms_of(row))
        forms += (forms.empty() ? "" : "; ") + ascii(form);
    std::string out = fmt::format(".TP\n\\fB{}\\fR: {}\n{}", upper(policy::to_string(row.kind)),
                                  roff(row.compiles), roff(forms));
    if (!row.remark.empty()) out += fmt::format(" (not checked: {})", roff(row.remark));
    return out + "\n";
}

}  // namespace

std::string manual_of_policy() {
    std::string out(kScopes);
    for (const policy::PhraseRow& row : policy::phrase_table()) out += row_text(row);
    return out += kRest;
}

}  // namespace oauth3::cli
