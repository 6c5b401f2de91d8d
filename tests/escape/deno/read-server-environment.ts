await attempt(() => Deno.readTextFile(`/proc/${given("SERVER")}/environ`));
