/** Runs `fixtures/alone.mjs` in a process of its own, where no other Python was started before. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export interface AloneResult {
  readonly value?: number;
  readonly backend?: string;
  readonly fallback?: string | null;
  readonly resolution?: readonly string[];
  readonly executable?: string | null;
  /** What it printed until its end. */
  readonly written?: string;
  readonly name?: string;
  readonly code?: string;
  readonly message?: string;
}

/**
 * @param env replaces the environment; `PATH` absent means that no command is found
 * @param source is executed before the engine is closed
 */
export async function createAlone(options: object, env: Readonly<Record<string, string>>, source = ""): Promise<AloneResult> {
  const script = fileURLToPath(new URL("./fixtures/alone.mjs", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script, JSON.stringify(options), source], {
    env: { ...env },
    timeout: 60_000,
  });
  return JSON.parse(stdout) as AloneResult;
}
