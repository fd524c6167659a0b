type Cases = Readonly<Record<string, readonly [body: () => Promise<void>, operations: number]>>;
export const SETUP: string;
export function ours(py: unknown, isopy: unknown): Cases;
export function raw(ask: (method: string, ...args: unknown[]) => Promise<unknown>): Cases;
export function comlink(remote: unknown): Cases;
export function compare(
  contenders: Readonly<Record<string, Cases>>,
  only: readonly string[] | undefined,
  samples?: number,
): Promise<Record<string, Record<string, number>>>;
export function interrupts(py: unknown, run: unknown, times?: number): Promise<Record<string, number>>;
