await attempt(() => Deno.connect({ hostname: "127.0.0.1", port: Number(given("TCP")) }));
