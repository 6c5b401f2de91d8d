await attempt(() => Deno.open("/proc/sys/kernel/core_pattern", { write: true }));
