// Stands for the world outside in the chroot test: a DNS server for *.test on 127.0.0.1:53 and an
// HTTPS server on port 8443. Prints "ready" when both can be reached.
const folder = Deno.args[0];

const dns = Deno.listenDatagram({ hostname: "127.0.0.1", port: 53, transport: "udp" });
(async () => {
  for await (const [query, from] of dns) {
    let end = 12;
    while (query[end] !== 0) end += query[end] + 1;
    const question = query.slice(12, end + 5);
    const type = (question[question.length - 4] << 8) | question[question.length - 3];
    // An A record for any name; no record of any other type (RFC 1035).
    const answer = type === 1
      ? new Uint8Array([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, 127, 0, 0, 1])
      : new Uint8Array();
    const reply = new Uint8Array(12 + question.length + answer.length);
    reply.set([query[0], query[1], 0x81, 0x80, 0, 1, 0, answer.length > 0 ? 1 : 0, 0, 0, 0, 0]);
    reply.set(question, 12);
    reply.set(answer, 12 + question.length);
    await dns.send(reply, from);
  }
})();

Deno.serve({
  hostname: "127.0.0.1",
  port: 8443,
  cert: await Deno.readTextFile(`${folder}/cert.pem`),
  key: await Deno.readTextFile(`${folder}/key.pem`),
  onListen: () => console.log("ready"),
}, (request) => {
  const path = new URL(request.url).pathname;
  if (path !== "/execute/exec_0123456789abcdef/status") return new Response("", { status: 404 });
  return Response.json({
    request_id: "exec_0123456789abcdef",
    status: "completed",
    state: "completed",
    created_at: 1,
    session_id: "s",
    result: { success: true, stdout: "", stderr: "", exitCode: 0, duration: 1 },
  });
});
