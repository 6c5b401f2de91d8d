// Beside V8's heap, which has a limit of its own.
const blocks: Uint8Array[] = [];
for (let i = 0; i < Number(given("MEBIBYTES")) / 16; ++i) blocks.push(new Uint8Array(1 << 24).fill(1));
console.log("ok");
if (Deno.env.has("HOLD")) setInterval(() => blocks.at(0), 1000);
