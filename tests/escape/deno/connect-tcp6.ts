await attempt(() => Deno.connect({ hostname: "::1", port: Number(given("TCP6")) }));
