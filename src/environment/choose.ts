/**
 * Which Python the native engine loads: decided purely, over an injected probe.
 *
 * Ordered by how explicit the user was. The first usable candidate wins and every rejection keeps
 * its reason. What was named explicitly (the option, `ISOPY_PYTHON`) never falls through to something else.
 */
import { type Described, type PythonFacts, refusal, type UnusualBuild, versionMatches } from "./python.ts";

/** What the decision may ask of the world. */
export interface Probe {
  env(name: string): string | undefined;
  /** The nearest `name` in the working directory or above it. */
  findUp(name: string): string | undefined;
  /** Where a command is on PATH, or undefined. */
  which(command: string): string | undefined;
  isDirectory(path: string): boolean;
  /** The executable of a virtual environment's or an installation's directory, or undefined. */
  executableIn(directory: string): string | undefined;
  /** Executables that may be this version: `3.12` or `3.12.1`. */
  versions(version: string): readonly string[];
  describe(executable: string): Described;
}

export interface Rejection {
  /** What named it: `option "python"`, `VIRTUAL_ENV`, … */
  readonly source: string;
  readonly path: string;
  readonly reason: string;
}

export interface PythonChoice {
  readonly found: PythonFacts | undefined;
  /** What named the one that was found. */
  readonly source: string | undefined;
  readonly rejected: readonly Rejection[];
}

interface Candidate {
  readonly source: string;
  readonly path: string;
  /** Known not to work without asking it. */
  readonly reason?: string;
  /** The version that was asked for, when it was one. */
  readonly version?: string;
}

/**
 * @param options.python An executable, the directory of a virtual environment, a command on PATH, or a version such as "3.12".
 * @example
 * choosePython(probe, { python: ".venv" }).found?.library
 */
export function choosePython(probe: Probe, options: { readonly python?: string | undefined } = {}): PythonChoice {
  const allowed = unusualBuilds(probe.env("ISOPY_ALLOW"));
  const rejected: Rejection[] = [];
  for (const candidate of candidates(probe, options.python)) {
    const outcome = candidate.reason ?? judge(probe, candidate, allowed);
    if (typeof outcome !== "string") return { found: outcome, source: candidate.source, rejected };
    rejected.push({ source: candidate.source, path: candidate.path, reason: outcome });
  }
  return { found: undefined, source: undefined, rejected };
}

/** The facts, or why not. */
function judge(probe: Probe, candidate: Candidate, allowed: readonly UnusualBuild[]): PythonFacts | string {
  const described = probe.describe(candidate.path);
  if (!described.ok) return described.reason;
  const { facts } = described;
  if (candidate.version !== undefined && !versionMatches(facts.version, candidate.version)) return `it is Python ${facts.version}`;
  return refusal(facts, allowed) ?? facts;
}

function candidates(probe: Probe, python: string | undefined): readonly Candidate[] {
  if (python !== undefined) return named(probe, python, 'option "python"');
  const variable = probe.env("ISOPY_PYTHON");
  if (variable) return named(probe, variable, "ISOPY_PYTHON");
  const found: Candidate[] = [];
  const add = (source: string, path: string | undefined) => {
    if (path !== undefined && !found.some((one) => one.path === path)) found.push({ source, path });
  };
  const active = probe.env("VIRTUAL_ENV");
  if (active) add("VIRTUAL_ENV", probe.executableIn(active) ?? active);
  const near = probe.findUp(".venv");
  if (near !== undefined) add(".venv", probe.executableIn(near));
  add("PATH", probe.which("python3"));
  add("PATH", probe.which("python"));
  return found;
}

/** What one name can mean; nothing else is tried. */
function named(probe: Probe, name: string, source: string): readonly Candidate[] {
  const one = (path: string, reason?: string): readonly Candidate[] => [{ source, path, ...(reason === undefined ? {} : { reason }) }];
  if (name.includes("\0")) return one(JSON.stringify(name), "a name with a NUL character is none that a system takes");
  if (/^\d+(\.\d+){1,2}$/.test(name)) {
    const paths = probe.versions(name);
    if (paths.length === 0) return one(name, `no Python ${name} was found on PATH, in ~/.pyenv/versions or in /usr/bin`);
    return paths.map((path) => ({ source, path, version: name }));
  }
  if (probe.isDirectory(name)) {
    const executable = probe.executableIn(name);
    return executable === undefined ? one(name, "the directory holds no bin/python: it is no virtual environment") : one(executable);
  }
  if (/[\\/]/.test(name)) return one(name);
  const command = probe.which(name);
  return command === undefined ? one(name, "there is no such file, directory or command on PATH") : one(command);
}

function unusualBuilds(text: string | undefined): readonly UnusualBuild[] {
  const words = (text ?? "").split(/[\s,]+/);
  return (["debug"] as const).filter((build) => words.includes(build));
}
