await attempt(() => Deno.env.get("OAUTH3_ESCAPE_PLANTED") ?? fail("nothing"));
