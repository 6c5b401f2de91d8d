await attempt(async () => {
  const path = `${given("SCRATCH")}/library.so`;
  await Deno.copyFile("/lib/x86_64-linux-gnu/libm.so.6", path);
  try {
    Deno.dlopen(path, {});
  } catch (error) {
    if (String(error).includes("failed to map segment")) fail("not mapped");
    throw error;
  }
});
