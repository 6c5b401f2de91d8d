await attempt(() => Deno.kill(Number(given("SERVER")), "SIGCONT"));
