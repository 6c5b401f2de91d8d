for (const signal of ["SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1"] as Deno.Signal[]) {
  Deno.addSignalListener(signal, () => {});
}
addEventListener("beforeunload", (event) => event.preventDefault());
addEventListener("unload", () => { while (true); });
console.log("ok");
setInterval(() => { while (true); }, 1);
