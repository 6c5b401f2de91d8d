await attempt(() => Deno.readTextFile(`${given("FOLDER")}/secret`));
