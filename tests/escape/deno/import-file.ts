// Deno reads what a literal import names, whatever it may read, and shows it in its error.
let shown = "";
try {
  await import("file:///etc/passwd");
} catch (error) {
  shown = String(error);
}
await attempt(() => shown.includes("root:") || fail("nothing"));
