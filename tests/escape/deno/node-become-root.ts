import process from "node:process";
await attempt(() => process.setuid!(0));
