let shown = "";
try {
  await import("file:///proc/self/environ");
} catch (error) {
  shown = String(error);
}
await attempt(() => shown.includes("OAUTH3_ESCAPE_PLANTED") || fail("nothing"));
