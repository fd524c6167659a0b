/** What a body throws or rejects with; fails when it does neither. Works for sync and async facades alike. */
export async function thrownBy(body: () => unknown): Promise<unknown> {
  let value: unknown;
  try {
    value = await body();
  } catch (error) {
    return error;
  }
  throw new Error(`Nothing was thrown; the value was ${String(value)}.`);
}
