await attempt(() => new Deno.Command("/bin/sh", { args: ["-c", "true"] }).output());
