import { readFileSync } from "node:fs";
await attempt(() => readFileSync("/etc/passwd"));
