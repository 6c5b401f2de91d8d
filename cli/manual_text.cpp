#include "cli/manual_text.h"

namespace oauth3::cli {

const std::string_view kManualStart =
    R"(.\" Written from the table of commands (cli/commands) and cli/manual_text.cpp: do not edit.
.TH OAUTH3 1 "" "oauth3 {0}" "User Commands"
.SH NAME
oauth3 \- run an agent's program with your secrets, after you have approved it
.SH SYNOPSIS
.B oauth3
.I COMMAND
.RI [ OPTIONS ]
.SH DESCRIPTION
An agent submits a program. A human sees what it asks for and decides. The server runs it in a
sandbox and returns its output.
.PP
Commands for agents block until there is a result and print exactly one JSON document on one line of
standard output; the link to approve, progress and warnings go to standard error. Commands for the
human, and those that need no server, print text on a terminal, and the JSON document in a pipe or
with \fB\-\-json\fR. An error document has \fBerror\fR, one sentence, \fBcode\fR, a word for
programs, and perhaps \fBhint\fR.
.PP
\fBoauth3 \-\-help\fR and \fBoauth3\fR \fICOMMAND\fR \fB\-\-help\fR print a summary,
\fBoauth3 \-\-version\fR the version. A group of commands alone, such as \fBoauth3 key\fR, stands for
its \fBlist\fR.
.SH FROM BEGINNING TO END
A server, started once; its first start writes the human's key:
.PP
.nf
    oauth3 serve \-\-owner\-key\-out owner.key
.fi
.PP
An agent asks for a session, with its first program, and waits. It signs up by itself the first
time, and shows the human the link that it finds on standard error:
.PP
.nf
    $ cat scope.json
    {{"description": "Greet people", "constraints": ["No network access"]}}
    $ cat hello.ts
    // @skill hello
    // @description Says hello
    console.log(`Hello, ${{Deno.env.get("NAME") ?? "world"}}!`);
    $ oauth3 scope\-and\-execute \-\-scope scope.json \-\-code hello.ts
.fi
.PP
The human decides in a browser, logged in with the owner's key or with the link of
\fBoauth3 login\-link\fR, or on a terminal:
.PP
.nf
    oauth3 pending
    oauth3 approve scope_1fd503f618b23d17 \-\-owner\-key\-file owner.key
.fi
.PP
The agent gets its result. The same program runs again in that session without asking:
.PP
.nf
    oauth3 execute \-\-session ID \-\-code hello.ts \-\-arg NAME=Ada \-\-raw
.fi
)";

const std::string_view kManualEnd = R"(.SH THE LIFE OF A REQUEST
\fBstatus\fR of a request is \fBpending\fR (\fBpending_scope\fR in the first reply to a scope),
\fBapproved\fR, \fBawaiting_secrets\fR, \fBexecuting\fR, and at the end \fBcompleted\fR,
\fBfailed\fR or \fBdenied\fR; \fBstate\fR is finer: \fBexpired\fR and \fBcancelled\fR are told as
\fBdenied\fR, or as \fBfailed\fR if the program had started. The final document of an execution
holds \fBresult\fR with \fBsuccess\fR, \fBstdout\fR, \fBstderr\fR, \fBexitCode\fR and
\fBduration\fR (in milliseconds), and \fBerror\fR if it failed.
.PP
Waiting survives restarts of the server and of the network. A submission is sent again until there
is an answer, and never counts twice: it carries an \fBIdempotency\-Key\fR. If the time is over
before there was an answer, that key is told, and the same command with
\fB\-\-idempotency\-key\fR goes on. A server that holds too many undecided requests is asked again
until there is room, but not with \fB\-\-no\-wait\fR, \fB\-\-bg\fR and \fB\-\-dry\-run\fR.
.PP
\fB\-\-raw\fR prints only what the program wrote to its standard output, with exactly one final
newline, and ends with the program's own exit code; if there is no result nothing is printed and
the table below holds. What did not succeed never ends with 0. On a terminal, control characters of
the output are made visible.
.SH BACKGROUND JOBS
With \fB\-\-bg\fR the request is submitted, then a process of its own goes on waiting, whatever
becomes of the terminal, until \fB\-\-timeout\fR is over. The command ends at once with one document
that holds \fBjob\fR, \fBjob_file\fR, \fBrequest_id\fR, \fBstatus\fR, \fBpid\fR and, if somebody has
to be asked, \fBapproval_url\fR.
.PP
The file
.I ~/.oauth3/jobs/JOB.json
always holds the present state; \fBoauth3 result\fR prints it. \fBstatus\fR is \fBpolling_scope\fR,
\fBscope_approved\fR, \fBscope_failed\fR, \fBpolling_exec\fR, \fBerror\fR (with \fBerror\fR and
\fBexit_code\fR) or the final status of the execution. \fBresult\fR of the file is the final reply
of the server, so the program's output is \fBresult.result.stdout\fR. SIGTERM to the worker ends the
job; the request lives on, and \fBoauth3 poll\fR goes on waiting for it. The files are kept until
you remove them.
.SH EXIT STATUS
.TP
0
The request is \fBcompleted\fR, or the reply that was asked for was printed.
.TP
1
The run failed, or another error.
.TP
2
The command line makes no sense.
.TP
3
Denied, expired, or cancelled before it started.
.TP
4
Authentication: no key, a wrong key, or not allowed.
.TP
5
Approved, but a secret is missing (\fBawaiting_secrets\fR).
.TP
6
The server cannot be reached.
.TP
124
The time of \fB\-\-timeout\fR is over; the request lives on.
.TP
130
Interrupted; the request lives on.
.PP
With 124 and 130 the command that goes on waiting, \fBoauth3 poll\fR \fIID\fR, is printed on
standard error. Other codes occur only with \fB\-\-raw\fR.
.SH THE SERVER AND THE KEYS
The server is taken from \fB\-\-url\fR, \fB$OAUTH3_URL\fR, \fBurl\fR (else \fBenclave_url\fR) in
.IR ~/.oauth3/config.json ,
else http://127.0.0.1:3737. Redirects are not followed.
.PP
An agent's key is taken from \fB\-\-key\-file\fR, \fB$OAUTH3_API_KEY\fR,
.IR ~/.oauth3/key ,
the profile of the server, or \fBjwt\fR in the configuration if its \fBenclave_url\fR is the server
in use. Without any, the command signs up and stores the new key, readable by its user only. A stored
key is bound to the server it was made for (\fBkey_url\fR in the configuration) and is never sent to
another: there, commands end with 4.
.PP
\fBoauth3 signup \-\-url\fR \fIURL\fR makes a profile for a further server: its key lies in
.IR ~/.oauth3/keys ,
and the configuration says to which server it belongs:
.PP
.nf
    {"profiles": {"https://oauth3.example.org": {"key_file": "keys/8a7c2f01d3b4e596"}}}
.fi
.PP
A profile may also be written by hand. A path that is not absolute starts at
.IR ~/.oauth3 .
.PP
The owner's key is taken only from \fB\-\-owner\-key\-file\fR or \fB$OAUTH3_OWNER_KEY\fR. The
configuration keeps at which servers it was used (\fBowner_urls\fR). It is sent to another only if
\fB\-\-url\fR names that: otherwise commands end with 4. \fBenclave_url\fR is never used with it.
.SH THE SETTINGS OF THE SERVER
Every option of \fBserve\fR may also stand in the environment, as \fBOAUTH3_\fR and its name in upper
case with \fB_\fR for \fB\-\fR, and in the file of \fB\-\-config\fR (or \fB$OAUTH3_CONFIG\fR): one
JSON object whose members have the options' names. The command line wins over the environment, and
that over the file. Flags are \fBtrue\fR or \fBfalse\fR; options that may be repeated take a list in
the file, and in a variable values parted by commas or blanks. An unknown member of the file is an
error; an unknown variable is not.
.PP
.nf
    {
      "listen": ["0.0.0.0:443", "[::]:443"],
      "public\-url": "https://oauth3.example.org",
      "tls\-cert": "/etc/oauth3/cert.pem",
      "tls\-key": "/etc/oauth3/key.pem",
      "signup": "invite",
      "retention": "90d",
      "max\-pending": 20
    }
.fi
.SH RUNNING A SERVER
Agents and the server should run as different users: whoever can read the server's files or its
terminal has the human's authority.
.PP
On loopback, which is the default, the server needs no settings. For other machines it needs
\fB\-\-public\-url\fR, and TLS: \fB\-\-tls\-cert\fR and \fB\-\-tls\-key\fR, read again at SIGHUP, or
a reverse proxy in front and \fB\-\-behind\-proxy\fR. The proxy has to pass \fBHost\fR on, set
\fBX\-Forwarded\-For\fR, and let a reply take a minute. Nobody can sign up there unless
\fB\-\-signup\fR says so; \fBoauth3 tenant create\fR makes agents, \fBoauth3 invite create\fR lets
them sign up.
.PP
.I share/systemd/oauth3.service
runs the server with systemd, as a user of its own; ports below 1024 need the drop-in it names, and
the files of TLS must be readable by that user. Its first start writes the owner's key to
.IR /var/lib/oauth3/owner.key ;
move it to the human who decides. As root,
.PP
.nf
    oauth3 login\-link \-\-data\-dir /var/lib/oauth3/data
.fi
.PP
prints a link that logs a browser in.
.PP
\fBoauth3 backup\fR may run at any time, from a timer too; \fBoauth3 restore\fR makes a new data
folder from its file. Try it once before you need it. \fBGET /health\fR answers 200 while runs can
start, \fBGET /metrics\fR has figures for Prometheus. \fBoauth3 audit verify\fR checks that no event
was changed or removed; keep the hash it prints somewhere else.
.SH FILES
.TP
.I ~/.oauth3/config.json
\fBurl\fR, \fBkey_url\fR, \fBprofiles\fR, \fBowner_urls\fR. Members that oauth3 does not know are kept.
.TP
.I ~/.oauth3/key\fR, \fI~/.oauth3/keys/
Keys of agents, one line each.
.TP
.I ~/.oauth3/jobs/
Background jobs.
.TP
.I ~/.oauth3/server/
The server's data, unless \fB\-\-data\-dir\fR says otherwise.
.SH ENVIRONMENT
.TP
\fBHOME\fR
Where \fI.oauth3\fR lies.
.TP
\fBOAUTH3_URL\fR, \fBOAUTH3_API_KEY\fR, \fBOAUTH3_OWNER_KEY\fR
See above.
.TP
\fBOAUTH3_DATA_DIR\fR, \fBOAUTH3_LISTEN\fR, ...
Options of \fBserve\fR; the first also serves \fBlogin\-link\fR, \fBbackup\fR and \fBrestore\fR.
.TP
\fBSSL_CERT_FILE\fR
The certificates of the authorities to trust, instead of the system's.
.TP
\fBNO_COLOR\fR
If set, nothing is coloured.
)";

}  // namespace oauth3::cli
