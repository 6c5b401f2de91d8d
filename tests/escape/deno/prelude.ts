// Stands before each of the others. attempt() says "ok" if the attack came through, or else why
// not: the name of an errno value if there is one, or the name of the error.
const given = (name: string): string => Deno.env.get(name) ?? "missing";
const attempt = async (attack: () => unknown): Promise<void> => {
  let result = "ok";
  try {
    await attack();
  } catch (error) {
    const { code, name } = error as { code?: string; name: string };
    result = code ?? name;
  }
  console.log(result);
};
/// For attacks that come back without an error: what they say went wrong.
const fail = (code: string): never => {
  throw Object.assign(new Error(code), { code });
};
