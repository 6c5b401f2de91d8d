await attempt(async () => {
  const link = `${given("SCRATCH")}/link`;
  await Deno.symlink(`/proc/${given("SERVER")}/root/etc/passwd`, link);
  await Deno.readTextFile(link);
});
