await attempt(async () => {
  const path = `${given("SCRATCH")}/program`;
  await Deno.writeTextFile(path, "#!/bin/sh\n", { mode: 0o755 });
  await new Deno.Command(path).output();
});
