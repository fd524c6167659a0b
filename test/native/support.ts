/** What the native tests share: the Python under test, and Node processes of their own. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";

export const root = fileURLToPath(new URL("../..", import.meta.url));

/** The Python under test: one CPython per process, so the suite is run once for each. Undefined: the default one. */
export const python = process.env["ISOPY_TEST_PYTHON"];

/** Options of `createPython` for the engine under test. */
export const native = python === undefined ? ({ backend: "native" } as const) : ({ backend: "native", python } as const);

/** How much larger than usual the storms are; the lanes raise it (`ISOPY_TEST_SCALE=50`). */
export const scale = Number(process.env["ISOPY_TEST_SCALE"] ?? 1);

/** The sanitizer that this process and its children run with. */
export const sanitizer = /lib([at]san)/.exec(process.env["LD_PRELOAD"] ?? "")?.[1] as "asan" | "tsan" | undefined;

/** For scripts of `inNode`: `start(body)` makes a worker whose module runs `body` with `createPython`, `native` and `parentPort`. */
export const workers = `
  import { Worker } from "node:worker_threads";
  import { once } from "node:events";
  const start = (body, options = {}) => new Worker(
    "import { parentPort, workerData } from 'node:worker_threads'; import { createPython } from 'isopy'; const native = " + JSON.stringify(native) + ";\\n" + body,
    { eval: true, execArgv: ["--input-type=module"], ...options });
`;

/** For scripts of `inNode` and for workers: `startSync()` makes a synchronous Python. */
export const startSync = `
  import { createPythonSync } from "isopy/sync";
  const startSync = () => { const { backend: _, ...options } = native; return createPythonSync(options); };
`;

export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Milliseconds from start to end. */
  readonly took: number;
}

export interface ScriptOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly node?: string;
  readonly flags?: readonly string[];
  readonly timeout?: number;
  readonly cwd?: string;
  /** Runs Node through a shell: `exec "$@" <&-`. */
  readonly shell?: string;
  /** A pipe that stays open and says nothing, instead of no input. */
  readonly silentInput?: boolean;
  /** Called with everything the process has written so far. */
  readonly onOutput?: (text: string, child: { kill(signal: NodeJS.Signals): boolean }) => void;
}

/** Runs an ES module in a Node of its own; `native` is defined in it, and `isopy` can be imported. */
export function inNode(source: string, options: ScriptOptions = {}): Promise<Ended> {
  const script = `const native = ${JSON.stringify(native)};\n${source}`;
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const node = [options.node ?? process.execPath, ...(options.flags ?? []), "--input-type=module", "-e", script];
    const [command = "", ...args] = options.shell === undefined ? node : ["/bin/sh", "-c", options.shell, "sh", ...node];
    const child = spawn(command, args, {
      cwd: options.cwd ?? root,
      env: { ...process.env, ...options.env },
      stdio: [options.silentInput ? "pipe" : "ignore", "pipe", "pipe"],
    });
    if (child.stdout === null || child.stderr === null) return reject(new Error("a process without pipes"));
    let stdout = "";
    let stderr = "";
    const timer = setTimeout(() => child.kill("SIGKILL"), options.timeout ?? 28_000);
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      options.onOutput?.(stdout, child);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, stdout: stdout.trim(), stderr: stderr.trim(), took: performance.now() - began });
    });
  });
}

/** Expects the process to end well, and gives what it printed. */
export async function output(source: string, options?: ScriptOptions): Promise<string> {
  const ended = await inNode(source, options);
  expect({ code: ended.code, signal: ended.signal, stderr: ended.stderr }).toEqual({ code: 0, signal: null, stderr: "" });
  return ended.stdout;
}
