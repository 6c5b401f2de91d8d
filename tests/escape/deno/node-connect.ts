import { connect } from "node:net";
await attempt(() =>
  new Promise((resolve, reject) => {
    const socket = connect(Number(given("TCP")), "127.0.0.1");
    socket.on("connect", resolve).on("error", reject);
  })
);
Deno.exit(0);
