await attempt(() => Deno.connect({ transport: "unix", path: `${given("FOLDER")}/socket` }));
