/** What is known about a Python, and whether the native engine can load it. Pure. */

/** What an executable says about itself (see `probe.ts`, which asks it). */
export interface PythonFacts {
  /** `3.12.1` */
  readonly version: string;
  readonly implementation: string;
  /** `sys.executable`: the real one behind a version manager's shim, and a venv's own, unresolved. */
  readonly executable: string;
  readonly prefix: string;
  readonly basePrefix: string;
  readonly bits: number;
  readonly debug: boolean;
  readonly freeThreaded: boolean;
  /** The shared library, or null when there is none. */
  readonly library: string | null;
  /** Where one was looked for. */
  readonly searched: readonly string[];
}

/** What a probe found at a path. */
export type Described = { readonly ok: true; readonly facts: PythonFacts } | { readonly ok: false; readonly reason: string };

/** Builds that are refused unless the caller asks for them. */
export type UnusualBuild = "debug";

export const OLDEST = { major: 3, minor: 9 } as const;

/** The parts of `3.12.1`. */
export function versionParts(version: string): readonly number[] {
  return version.split(".").map((part) => Number.parseInt(part, 10));
}

/** Whether `3.12.1` is what `3.12` asks for. */
export function versionMatches(version: string, wanted: string): boolean {
  const have = versionParts(version);
  return versionParts(wanted).every((part, i) => have[i] === part);
}

/** Why the native engine cannot use this Python; undefined when it can. */
export function refusal(facts: PythonFacts, allowed: readonly UnusualBuild[] = []): string | undefined {
  const [major = 0, minor = 0] = versionParts(facts.version);
  const name = `Python ${facts.version}`;
  if (facts.implementation !== "cpython") return `${name} is ${facts.implementation}, not CPython`;
  if (major !== OLDEST.major || minor < OLDEST.minor)
    return `${name} is too old: ${OLDEST.major}.${OLDEST.minor} is the oldest that is supported`;
  if (facts.bits !== 64) return `${name} is a ${facts.bits}-bit build`;
  if (facts.debug && !allowed.includes("debug")) return `${name} is a debug build (allow it with ISOPY_ALLOW=debug)`;
  if (facts.freeThreaded) {
    return (
      `${name} is a free-threaded build: the addon reads objects under the protection of the GIL, which this one does not have. ` +
      `Use the ordinary build of Python ${major}.${minor} (without the "t"); from 3.13 on its isolated contexts use every core`
    );
  }
  if (facts.library === null) return noLibrary(facts, `${major}.${minor}`);
  return undefined;
}

function noLibrary(facts: PythonFacts, minor: string): string {
  const where = facts.searched.length === 0 ? "" : `; looked for ${facts.searched.slice(0, 4).join(", ")}`;
  return (
    `Python ${facts.version} has no shared library (libpython${minor})${where}. ` +
    `Debian, Ubuntu: apt install libpython${minor}. pyenv: PYTHON_CONFIGURE_OPTS=--enable-shared pyenv install ${facts.version}`
  );
}
