export function median(values: readonly number[]): number;
export function perCall(body: () => unknown): number;
export function perBigCall(body: () => unknown, samples?: number): Promise<number>;
export function perSecond(call: (index: number) => PromiseLike<unknown>, inFlight: number, total: number): Promise<number>;
export function milliseconds(body: () => unknown, samples?: number): Promise<number>;
export function caught(body: () => unknown): unknown;
export function check(condition: unknown, what: string): asserts condition;
export function contend(cases: Record<string, () => number | Promise<number>>): Promise<void>;
export const data: {
  readonly text: string;
  readonly dict: Record<string, number>;
  readonly nested: object;
  readonly floats: number[];
  readonly bytes: Uint8Array;
  readonly array: Float64Array;
};
