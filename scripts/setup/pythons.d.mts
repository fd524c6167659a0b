/** Types of `pythons.mjs`, for tests that need another Python than the one that runs. */
export interface FoundPython {
  readonly path: string;
  readonly version: string;
  readonly prefix: string;
  readonly executable: string;
  readonly shared: boolean;
}
export function allPythons(): FoundPython[];
