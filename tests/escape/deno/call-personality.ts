await attempt(() => {
  const library = Deno.dlopen("libc.so.6", {
    personality: { parameters: ["u64"], result: "i32" },
  });
  const withoutRandomisation = 0x0040000n;
  if (library.symbols.personality(withoutRandomisation) < 0) fail("refused");
});
