// Item 5 of the conformance checklist, against a server with --approval=link --no-auth: the link
// itself decides, as in the servers that the compatible clients were first written for.
// Usage: link_mode.ts URL

import { check, same } from "./check.ts";
import { OAuth3Client } from "./client.ts";

const client = OAuth3Client.anonymous(Deno.args[0]);
same((await client.me()).tenant_id, "dev", "without a key I am the tenant dev");

const skillCode = `// @skill speak
console.log("it says " + (Deno.env.get("WORD") ?? "nothing"));
`;
const scope = await client.scope({
  description: "Speak",
  constraints: ["No network access", "Only read issues", "be nice"],
  skillCode,
});
same(scope.status, "pending_scope", "a scope waits");
const token = /token=([a-f0-9]{64})/.exec(scope.approval_url ?? "");
check(token !== null, "the approval URL holds a token", scope);
same((await client.status(scope.request_id)).status, "pending", "a look says pending");

const decided = await fetch(scope.approval_url!.split("?")[0], {
  method: "POST",
  headers: { "Content-Type": "application/x-www-form-urlencoded" },
  body: new URLSearchParams({ token: token[1], action: "approve", level: "once" }),
});
check(decided.ok, "the link decides", decided.status, await decided.text());
same((await client.status(scope.request_id)).status, "completed", "the next GET is completed");

const sessionId = scope.session_id;
const bare = await client.execute({ skillId: "speak", skillCode, sessionId });
check(bare.status !== "pending", "the same code in that session is not pending", bare);
same((await client.poll(bare)).result?.stdout, "it says nothing", "and runs");
const args = { WORD: "abracadabra" };
const spoken = await client.execute({ skillId: "speak", skillCode, sessionId, args });
check(spoken.status !== "pending", "nor is it with args", spoken);
same((await client.poll(spoken)).result?.stdout, "it says abracadabra", "and stdout holds the arg");

// The same by the button of an execution, and for one that is denied.
for (const [action, status] of [["approve", "completed"], ["deny", "denied"]]) {
  const other = await client.execute({ skillId: "other", skillCode: `console.log("ran")\n` });
  same(other.status, "pending", "other code waits");
  const url = new URL(other.approval_url!);
  const reply = await fetch(url.origin + url.pathname, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ token: url.searchParams.get("token"), action }),
  });
  check(reply.ok, "the JSON variant decides too", reply.status, await reply.text());
  same((await client.poll(other)).status, status, "and that is what happens");
}
