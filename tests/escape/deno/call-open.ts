// Past all that Deno itself checks: the C library's own open(2).
await attempt(() => {
  const library = Deno.dlopen("libc.so.6", {
    open: { parameters: ["buffer", "i32"], result: "i32" },
  });
  const path = new TextEncoder().encode("/etc/passwd\0");
  if (library.symbols.open(path, 0) < 0) fail("refused");
});
