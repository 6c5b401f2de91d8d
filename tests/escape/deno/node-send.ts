import { createSocket } from "node:dgram";
await attempt(() =>
  new Promise((resolve, reject) => {
    const socket = createSocket("udp4").on("error", reject);
    const told = (error: Error | null) => error ? reject(error) : resolve(null);
    socket.send("x", Number(given("UDP")), "127.0.0.1", told);
  })
);
Deno.exit(0);
