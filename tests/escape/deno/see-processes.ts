await attempt(() => {
  const others = [...Deno.readDirSync("/proc")]
    .filter((entry) => /^\d+$/.test(entry.name) && entry.name !== String(Deno.pid));
  if (others.length === 0) fail("nobody");
});
