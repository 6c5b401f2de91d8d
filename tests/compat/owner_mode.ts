// A whole day of an agent against a server with default settings. The human is the test that
// started this program: it reads "ask NAME: ID" from stderr and decides.
// Usage: owner_mode.ts URL

import { check, refusal, same } from "./check.ts";
import { type ExecuteOptions, OAuth3Client, OAuth3Error } from "./client.ts";

const url = Deno.args[0];
const EXEC_ID = /^exec_[0-9a-f]{16}$/;
const SCOPE_ID = /^scope_[0-9a-f]{16}$/;

/** Makes the human decide on what is asked for next. */
function ask(client: OAuth3Client, name: string) {
  client.onApprovalNeeded = (submitted) => {
    check(
      /\/approve\/(exec|scope)_[0-9a-f]{16}\?token=[0-9a-f]{64}$/.test(submitted.approval_url!),
      "an approval URL holds the id and a token",
      submitted,
    );
    console.error(`ask ${name}: ${submitted.request_id}`);
  };
}

// Who I am ---------------------------------------------------------------------------------------

const client = await OAuth3Client.create(url, { name: "compat" });
same(client.url, url, "tee_url is the base URL");
const me = await client.me();
check(/^tenant_[0-9a-f]{16}$/.test(`${me.tenant_id}`), "I have a tenant", me);
same([me.name, me.role, me.plan], ["compat", "agent", "free"], "I am the agent that signed up");
check(Number.isInteger(me.created_at) && /^key_[0-9a-f]{16}$/.test(`${me.key_id}`), "with a key", me);

const again = await OAuth3Client.create(url, { token: client.token });
same((await again.me()).tenant_id, me.tenant_id, "the key is the same agent in another client");

const stranger = await OAuth3Client.create(url, { token: "undefined" });
const unknown = await refusal(() => stranger.me(), "an unknown key is refused");
check(unknown instanceof OAuth3Error && unknown.status === 401, "with 401", unknown);
same(unknown.code, "invalid_key", "and its code");

// A first run ------------------------------------------------------------------------------------

const greet: ExecuteOptions = {
  skillId: "greet",
  skillCode: `// @skill greet
// @description Greets
console.log("hello " + (Deno.env.get("WHO") ?? "nobody"));
`,
  args: { WHO: "world", MORE: { list: [1, 2] } },
};

const early = await client.dryRun(greet);
same([early.dry_run, early.would_auto_approve], [true, false], "new code needs a human");
same([early.reason, early.session_exists], ["needs_approval", false], "a dry run says why");
check(typeof early.session_id === "string", "a dry run names a session", early);
check(!("missing_secrets" in early), "a dry run tells nothing about secrets", early);
same((await client.history()).executions, [], "a dry run leaves no trace");

const first = await client.execute(greet);
same(first.status, "pending", "new code waits");
check(EXEC_ID.test(first.request_id), "a request has an id", first);
check(first.status_url.endsWith("/status?wait=true"), "and a URL to wait at", first);
check(first.approval_url !== undefined, "and one for the human", first);
same((await client.status(first.request_id)).status, "pending", "a look does not wait");
ask(client, "first");
client.onApprovalNeeded(first);
const greeted = await client.poll(first);
same(greeted.status, "completed", "approved code runs");
same(greeted.result?.stdout, "hello world", "stdout is trimmed and holds the arg");
same([greeted.result?.success, greeted.result?.exitCode], [true, 0], "it succeeded");
same(greeted.result?.stderr, "", "stderr is empty");
check(Number.isInteger(greeted.result?.duration), "the duration is in milliseconds", greeted);
same(greeted.session_id, first.session_id, "it ran in the session that was named");

// The same session -------------------------------------------------------------------------------

const sessionId = first.session_id;
const expected = await client.dryRun({ ...greet, sessionId });
same(
  [expected.would_auto_approve, expected.reason, expected.missing_secrets],
  [true, "session_policy", []],
  "approved code may run again in its session",
);
const second = await client.execute({ ...greet, sessionId, args: { WHO: "again" } });
same(second.status, "approved", "and does");
check(second.approval_url === undefined, "without a human");
same((await client.poll(second)).result?.stdout, "hello again", "with other args");
const bare = await client.executeAndWait({ ...greet, sessionId, args: undefined });
same(bare.result?.stdout, "hello nobody", "and without any");

const other = { skillId: "other", skillCode: `console.log("other")\n`, sessionId };
const misfit = await client.dryRun(other);
same(
  [misfit.would_auto_approve, misfit.reason, misfit.session_exists],
  [false, "policy_violation", true],
  "other code does not fit the session",
);
same(misfit.policy_violations, ["code not approved in this session"], "and is told why");

// Ends that are no success -----------------------------------------------------------------------

ask(client, "denied");
const denied = await client.executeAndWait(other);
same([denied.status, denied.error], ["denied", "not today"], "a denial holds the human's reason");
check(denied.result === undefined, "and nothing ran", denied);

ask(client, "failing");
const failing = await client.executeAndWait({
  skillId: "failing",
  skillCode: `console.log("so far"); console.error("no further"); Deno.exit(7);\n`,
});
same(failing.status, "failed", "a run that fails is failed");
same([failing.result?.success, failing.result?.exitCode], [false, 7], "with its exit code");
check(failing.error !== undefined && failing.error.includes("no further"), "and its stderr", failing);

const foreign = await refusal(() => client.status("exec_0000000000000000"), "an unknown id");
check(foreign instanceof OAuth3Error && foreign.status === 404, "is 404", foreign);
const malformed = await refusal(
  () => client.execute({ skillId: "x", skillCode: "// @timeout 0\n" }),
  "metadata that is malformed is refused",
);
check(malformed instanceof OAuth3Error && malformed.code === "invalid_metadata", "as such", malformed);
check(malformed.message.length > 10 && !malformed.message.includes("\n"), "in a sentence", malformed);

// Secrets go as names and values; the values are none of the server's business ------------------

const withSecret = await client.execute({
  skillId: "with-secret",
  skillCode: `console.log(1)\n`,
  secrets: { GH_TOKEN: "planted-secret-value" },
});
same(withSecret.status, "pending", "a request that names a secret waits");
ask(client, "secret");
client.onApprovalNeeded(withSecret);
same((await client.poll(withSecret)).status, "denied", "and is denied here");

// Scopes -----------------------------------------------------------------------------------------

const scope = await client.scope({
  description: "Look around",
  constraints: [
    "No network access",
    { type: "natural_language", rule: "be nice" },
  ],
  allowMutating: false,
});
same(scope.status, "pending_scope", "a scope waits");
check(SCOPE_ID.test(scope.request_id), "a scope has an id of its own", scope);
ask(client, "scope");
client.onApprovalNeeded(scope);
const granted = await client.poll(scope);
same([granted.status, granted.session_id], ["completed", scope.session_id], "and is granted");
check(granted.result === undefined, "a scope has no result", granted);

ask(client, "both");
const both = await client.scopeAndExecute(
  { description: "Add", constraints: "No network access" },
  { skillId: "adder", skillCode: `console.log(Number(Deno.env.get("A")) + 1)\n`, args: { A: 41 } },
);
same(both.scope.status, "completed", "a scope with its code is granted");
same(both.execution?.result?.stdout, "42", "and the code runs at once");

ask(client, "refused");
const refused = await client.scopeAndExecute(
  { description: "Anything", allowedNetworks: ["*.example.org", "api.example.com:8443"] },
  { skillId: "never", skillCode: `console.log("never")\n` },
);
same([refused.scope.status, refused.scope.error], ["denied", "too much"], "a scope can be denied");
check(refused.execution === undefined, "and then nothing is run", refused);

// What is left -----------------------------------------------------------------------------------

const sessions = await client.sessions();
same(
  sessions.map((session) => session.session_id).sort(),
  [both.scope.session_id, granted.session_id, sessionId].sort(),
  "the sessions are those that were approved",
);
const mine = sessions.find((session) => session.session_id === sessionId)!;
const policy = mine.policy as Record<string, unknown>;
same(mine.runs_used, 2, "runs that a session allowed are counted");
check(Number.isInteger(mine.created_at) && Number.isInteger(mine.last_activity), "with times", mine);
same([policy.any_code, policy.allowedSecrets, policy.allowedNetworks], [false, [], []], "its policy");
same((policy.code_hashes as string[]).length, 1, "holds the code's hash");

type Execution = Record<string, unknown>;
const whole = (await client.history()).executions as Execution[];
same(
  whole.map((row) => [row.skill_id, row.kind, row.status]).filter((row) => row[1] === "execute"),
  [
    ["adder", "execute", "completed"],
    ["with-secret", "execute", "denied"],
    ["failing", "execute", "failed"],
    ["other", "execute", "denied"],
    ["greet", "execute", "completed"],
    ["greet", "execute", "completed"],
    ["greet", "execute", "completed"],
  ],
  "the history has every execution, the newest first",
);
same(whole.filter((row) => row.kind === "scope").length, 3, "and every scope");
for (const row of whole) {
  same(row.tracking_id, row.request_id, "tracking_id is the request's id");
  check(Number(row.created_at) <= Number(row.completed_at), "times are in order", row);
}
const paged: Execution[] = [];
let before: string | undefined;
do {
  const page: Record<string, unknown> = await client.history({ limit: 3, before });
  paged.push(...page.executions as Execution[]);
  before = page.next === null ? undefined : page.next as string;
} while (before !== undefined);
same(paged.map((row) => row.request_id), whole.map((row) => row.request_id), "pages are the whole");

console.log(JSON.stringify({ tenant: me.tenant_id, requests: whole.length }));
