// @skill hello
// @description Prints a greeting. The optional argument NAME says whom it greets.
// @timeout 10

const name = Deno.env.get("NAME") ?? "world";
console.log(`Hello, ${name}!`);
