/**
 * Remembers what executables said about themselves, across processes.
 *
 * One small JSON file in the user's own cache directory (never in a shared one: it names a library
 * that will be loaded). An entry is good while the executable's real path, size and modification
 * time are the same, its library exists, and the question is. Scripts (a version manager's shims)
 * answer differently from place to place and are never remembered. A file that cannot be read or
 * written, or that is damaged, is as good as none.
 */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  realpathSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import type { Described, PythonFacts } from "./python.ts";

interface Entry {
  readonly stamp: string;
  readonly facts: PythonFacts;
}

/** At most this many executables are kept; the oldest go first. */
const CAPACITY = 64;

export function rememberDescription(executable: string, question: string, ask: () => Described): Described {
  const stamp = stampOf(executable, question);
  if (stamp === undefined) return ask();
  const known = load()[executable];
  if (known !== undefined && known.stamp === stamp && isUsable(known.facts)) return { ok: true, facts: known.facts };
  const answer = ask();
  if (answer.ok) save(executable, { stamp, facts: answer.facts });
  return answer;
}

/** What must not change; undefined when the executable is a script or cannot be read. */
function stampOf(executable: string, question: string): string | undefined {
  try {
    const real = realpathSync(executable);
    if (isScript(real)) return undefined;
    const { size, mtimeMs } = statSync(real);
    const config = join(dirname(dirname(executable)), "pyvenv.cfg");
    const venv = statSync(config, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    return [real, size, mtimeMs, venv, numberOf(question)].join("|");
  } catch {
    return undefined; // not there, or not ours to read: asking it will say so
  }
}

/** Tells two questions apart (FNV-1a): loading node:crypto for it took 3 ms of every start. */
function numberOf(text: string): number {
  let number = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) number = Math.imul(number ^ text.charCodeAt(i), 0x01000193);
  return number >>> 0;
}

function isScript(file: string): boolean {
  const descriptor = openSync(file, "r");
  try {
    const start = Buffer.alloc(2);
    return readSync(descriptor, start, 0, 2, 0) === 2 && start.toString("latin1") === "#!";
  } finally {
    closeSync(descriptor);
  }
}

/** A damaged or outdated answer must not be believed. */
function isUsable(facts: unknown): facts is PythonFacts {
  if (typeof facts !== "object" || facts === null) return false;
  const { version, executable, library, searched } = facts as Record<string, unknown>;
  if (typeof version !== "string" || typeof executable !== "string" || !Array.isArray(searched)) return false;
  return typeof library === "string" && existsSync(library) && existsSync(executable);
}

/** The user's own folder for what isopy can make again. */
export function cacheFolder(): string {
  return join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "isopy");
}

const file = (): string => join(cacheFolder(), "pythons.json");

function load(): Record<string, Entry> {
  try {
    const entries: unknown = JSON.parse(readFileSync(file(), "utf8"));
    return typeof entries === "object" && entries !== null && !Array.isArray(entries) ? (entries as Record<string, Entry>) : {};
  } catch {
    return {};
  }
}

function save(executable: string, entry: Entry): void {
  const { [executable]: _, ...others } = load();
  const kept = Object.entries(others).slice(-(CAPACITY - 1));
  const path = file();
  const fresh = `${path}.${process.pid}`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(fresh, JSON.stringify(Object.fromEntries([...kept, [executable, entry]])), { mode: 0o600 });
    renameSync(fresh, path);
  } catch {
    // A read-only home: the next process asks again.
  }
}
