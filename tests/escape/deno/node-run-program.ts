import { spawnSync } from "node:child_process";
await attempt(() => {
  const { error } = spawnSync("/bin/sh", ["-c", "true"]);
  if (error) throw error;
});
