await attempt(() => Deno.writeTextFile(`${given("PLACE")}/new`, "x"));
