// What the programs of this folder check with: a sentence that does not hold ends them.

export function check(holds: boolean, sentence: string, ...shown: unknown[]): asserts holds {
  if (holds) return;
  console.error(`WRONG: ${sentence}`, ...shown.map((value) => JSON.stringify(value)));
  Deno.exit(1);
}

export function same(is: unknown, wanted: unknown, sentence: string) {
  check(JSON.stringify(is) === JSON.stringify(wanted), sentence, is, wanted);
}

/** The error that `work` ends with; none is wrong. */
export async function refusal(work: () => Promise<unknown>, sentence: string): Promise<Error> {
  try {
    await work();
  } catch (error) {
    return error as Error;
  }
  check(false, sentence);
}
