/**
 * Packages of an engine whose site-packages are its own: Python decides and unpacks, this side brings what it asks for.
 *
 * Everything that is read comes through one `Reach`, so that a signal ends it and progress counts it; the bytes go to
 * Python in the answers to its questions and are verified there.
 */
import { withDeadline } from "../core/cancellation.ts";
import type { Engine } from "../core/engine.ts";
import { EngineError, PackageError } from "../core/errors.ts";
import { proxy } from "../core/lending.ts";
import { abortSignal, type Check, callable, check, optionReader, recordOf, string } from "../core/options.ts";
import type {
  ImportsOptions,
  InstalledPackage,
  InstallOptions,
  InstallReport,
  Lock,
  PackageFailure,
  PackageProgress,
  Packages,
} from "../core/packages.ts";
import { serviceCall } from "../core/service.ts";
import { Mode } from "../core/wire/frames.ts";
import { LOCK_FILE, readLock } from "./lock.ts";
import { WELL_KNOWN } from "./names.ts";
import { type Missed, missed, type Reach } from "./reach.ts";
import { Index, Locked, type ProjectFile, type Source } from "./sources.ts";

const INDEX = "https://pypi.org/simple";

const place = check<string | URL>("a URL or a path", (value) => (typeof value === "string" && value !== "") || value instanceof URL);
const lockOrPlace = check<Lock | string | URL>(
  "a lock, a URL or a path",
  (value) => (typeof value === "object" && value !== null) || typeof value === "string",
);
const listener = callable as Check<NonNullable<InstallOptions["onProgress"]>>;

interface Settings {
  readonly index: string | URL | undefined;
  readonly lock: Lock | string | URL | undefined;
  readonly from: string | URL | undefined;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: (progress: PackageProgress) => void;
  readonly names: Readonly<Record<string, string>>;
}

/** A requirement, as Python takes it. */
interface Wanted {
  readonly text: string;
  readonly url?: string;
  /** What is promised about the file. */
  readonly known?: Partial<ProjectFile>;
  /** Without what it needs: the list is complete. */
  readonly alone?: boolean;
}

export class WasmPackages implements Packages {
  readonly #engine: Engine;
  readonly #reach: Reach;

  constructor(engine: Engine, reach: Reach) {
    this.#engine = engine;
    this.#reach = reach;
  }

  async install(first: string | URL | readonly (string | URL)[] | InstallOptions, second?: InstallOptions): Promise<InstallReport> {
    const [given, options] = split(first, second);
    const settings = readSettings("packages.install", options, false);
    const source = await this.#source(settings);
    if (given !== undefined)
      return this.#run(
        given.map((one) => this.#wanted(one)),
        source,
        settings,
      );
    if (source instanceof Locked) return this.#runLocked(source, settings);
    throw new EngineError(
      "ERR_OPTION",
      "packages.install: there is nothing to install.",
      'Write: install(["numpy"]), install({ lock }) or install({ from: "./wheels" }).',
    );
  }

  list(): Promise<readonly InstalledPackage[]> {
    return this.#ask("installed", []);
  }

  lock(): Promise<Lock> {
    return this.#ask("lock", []);
  }

  missing(code: string): Promise<readonly string[]> {
    if (typeof code !== "string") throw new EngineError("ERR_ARGUMENT", "packages.missing() takes Python source as a string.");
    return this.#ask("missing", [code]);
  }

  async installImports(code: string, options?: ImportsOptions): Promise<InstallReport> {
    const settings = readSettings("packages.installImports", options, true);
    const modules = await this.missing(code);
    if (modules.length === 0) return { installed: [], present: [] };
    const source = await this.#source(settings);
    const locked = new Map<string, string>();
    if (source instanceof Locked) {
      for (const { entry } of source.all()) for (const name of entry.imports ?? []) locked.set(name, entry.name);
    }
    const own = (names: Readonly<Record<string, string>>, name: string) => (Object.hasOwn(names, name) ? names[name] : undefined);
    const requirements = modules.map((name) => own(settings.names, name) ?? locked.get(name) ?? own(WELL_KNOWN, name) ?? name);
    return this.#run(
      [...new Set(requirements)].map((one) => this.#wanted(one)),
      source,
      settings,
    );
  }

  #ask<T>(name: string, args: readonly unknown[]): Promise<T> {
    return this.#engine.start(serviceCall(this.#engine, "_isopy.packages", name, args), Mode.AUTO, undefined).promise as Promise<T>;
  }

  async #source({ index, lock, from, signal, onProgress }: Settings): Promise<Source> {
    if (lock === undefined && from === undefined) return new Index(this.#reach, this.#locate(index ?? INDEX).href);
    const folder = from === undefined ? undefined : this.#locate(from);
    if (folder !== undefined && !folder.pathname.endsWith("/")) folder.pathname += "/";
    if (typeof lock === "object" && !(lock instanceof URL)) return new Locked(readLock(lock, "The lock"), folder, undefined);
    const at = lock === undefined ? new URL(LOCK_FILE, folder) : this.#locate(lock);
    onProgress({ stage: "index", name: at.href });
    const file = await this.#reach.read(at.href, { signal });
    signal?.throwIfAborted();
    if (missed(file)) {
      const hint = "vendor() of isopy/packages makes a folder of wheels with its lock.";
      throw new PackageError([{ requirement: at.href, name: LOCK_FILE, ...file }], [], hint);
    }
    return new Locked(readLock(parsed(file.bytes), at.href), folder, at);
  }

  #locate(place: string | URL): URL {
    try {
      return this.#reach.locate(place);
    } catch (cause) {
      throw new EngineError("ERR_OPTION", `${String(place)} is neither a URL nor a path.`, undefined, { cause });
    }
  }

  #wanted(given: string | URL): Wanted {
    const text = String(given).trim();
    if (!isWheel(given, text)) return { text };
    const url = this.#locate(given instanceof URL ? given : text);
    const sha256 = /^#sha256=([0-9a-f]{64})$/i.exec(url.hash)?.[1]?.toLowerCase() ?? null;
    url.hash = "";
    const file = nameOf(url);
    return { text, url: url.href, known: { file, url: url.href, sha256 } };
  }

  #runLocked(source: Locked, settings: Settings): Promise<InstallReport> {
    const failures: PackageFailure[] = [];
    const wanted: Wanted[] = [];
    for (const { entry, file } of source.all()) {
      const { name, version } = entry;
      const text = `${name}==${version}`;
      if (missed(file)) failures.push({ requirement: text, name, ...file });
      else wanted.push({ text, url: file.url, known: file, alone: true });
    }
    return this.#run(wanted, source, settings, failures);
  }

  async #run(
    wanted: readonly Wanted[],
    source: Source,
    { signal, onProgress }: Settings,
    failed: readonly PackageFailure[] = [],
  ): Promise<InstallReport> {
    signal?.throwIfAborted();
    // What Python awaits must end with the program too, whoever cancels it.
    const over = new AbortController();
    const stop = () => over.abort(signal?.reason);
    signal?.addEventListener("abort", stop, { once: true });
    const later = <T extends object>(lent: T): T => proxy(lent, { async: true });
    const project = later(async (name: string): Promise<object> => {
      onProgress({ stage: "index", name });
      return source.project(name, { signal: over.signal });
    });
    const fetched = later(async (url: string, again: boolean): Promise<object> => {
      const name = nameOf(new URL(url));
      onProgress({ stage: "download", name, loaded: 0 });
      const onBytes = (loaded: number, total: number | undefined) =>
        onProgress({ stage: "download", name, loaded, ...(total === undefined ? {} : { total }) });
      const found = await this.#reach.read(url, { again, signal: over.signal, onBytes });
      return missed(found) ? found : { bytes: found.bytes, file: name };
    });
    const told = later(async (name: string, version: string) => onProgress({ stage: "install", name: `${name} ${version}` }));
    try {
      const call = serviceCall(this.#engine, "_isopy.packages", "install", [wanted, project, fetched, told]);
      const wait = this.#engine.start(call, Mode.AUTO, undefined);
      const { failures, ...report } = (await withDeadline(this.#engine, wait, signal, 0)) as InstallReport & {
        readonly failures: readonly PackageFailure[];
      };
      const all = [...failed, ...failures];
      if (all.length > 0) throw new PackageError(all, report.installed, hintFor(all));
      return report;
    } finally {
      signal?.removeEventListener("abort", stop);
      over.abort();
    }
  }
}

function split(
  first: string | URL | readonly (string | URL)[] | InstallOptions,
  second: InstallOptions | undefined,
): [readonly (string | URL)[] | undefined, InstallOptions | undefined] {
  const text = (value: unknown) => (typeof value === "string" && value.trim() !== "") || value instanceof URL;
  if (text(first)) return [[first as string], second];
  if (Array.isArray(first) && first.every(text)) return [first, second];
  if (typeof first === "object" && first !== null && !Array.isArray(first) && second === undefined) {
    return [undefined, first as InstallOptions];
  }
  throw new EngineError(
    "ERR_ARGUMENT",
    "packages.install() takes requirements: a string, a URL or an array of them.",
    'Write: install(["numpy", "./mine-1.0-py3-none-any.whl"]).',
  );
}

function readSettings(owner: string, options: InstallOptions | ImportsOptions | undefined, imports: boolean): Settings {
  const read = optionReader(owner, options);
  const settings: Settings = {
    index: read("index", place, undefined),
    lock: read("lock", lockOrPlace, undefined),
    from: read("from", place, undefined),
    signal: read("signal", abortSignal, undefined),
    onProgress: read("onProgress", listener, () => {}),
    names: imports ? read("names", recordOf(string), {}) : {},
  };
  read.done();
  if (settings.index !== undefined && (settings.lock !== undefined || settings.from !== undefined)) {
    throw new EngineError("ERR_OPTION", `${owner}: an index is not asked where there is a lock or a folder.`, "Give one of them.");
  }
  return settings;
}

/** A wheel's place, not a project's name: `name @ URL` is for Python to read. */
function isWheel(given: string | URL, text: string): boolean {
  return given instanceof URL || (/\.whl(#.*)?$/i.test(text) && !/^[\w.[\],-]+\s*@/.test(text)) || /^(file|https?):/i.test(text);
}

/** The last segment: a wheel's name says what it is. */
function nameOf(url: URL): string {
  const last = url.pathname.split("/").at(-1) ?? "";
  try {
    return decodeURIComponent(last);
  } catch {
    return last;
  }
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined; // no lock, which is said by who reads it
  }
}

function hintFor(failures: readonly Pick<Missed, "cause">[]): string | undefined {
  if (failures.some(({ cause }) => cause === "network")) {
    return 'Without a network: vendor() of isopy/packages fetches wheels ahead of time, then install([…], { from: "./wheels" }).';
  }
  if (failures.some(({ cause }) => cause === "no-wheel")) {
    return "A compiled package needs a wheel for Pyodide (PEP 783) from its project; a pure one works everywhere.";
  }
  if (failures.some(({ cause }) => cause === "conflict")) return "Packages are not exchanged in a running engine: start another.";
  return undefined;
}
