import { spawnSync } from "node:child_process";
await attempt(() => {
  const { error, stdout } = spawnSync("/bin/sh", ["-c", "echo ok"]);
  if (error) throw error;
  if (!String(stdout).includes("ok")) fail("nothing");
});
