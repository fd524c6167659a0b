/**
 * `py.packages`: what it can do, and the object that loads the part that does it when it is first asked.
 */
import type { Engine } from "./engine.ts";
import { EngineError } from "./errors.ts";

/** Where a requirement's files come from, and who is told. */
export interface InstallOptions {
  /**
   * The package index: where names are looked up, as JSON (PEP 691). Default: `https://pypi.org/simple`. It is asked
   * only when neither `lock` nor `from` is given.
   */
  readonly index?: string | URL;
  /**
   * Exactly these versions, with hashes that are checked before anything is unpacked: a lock, or where its JSON is.
   * Without requirements everything in it is installed.
   */
  readonly lock?: Lock | string | URL;
  /**
   * A folder of wheels: a path in Node, a URL. Files are taken from there and nothing is asked for elsewhere; its
   * `isopy-lock.json` is the lock when none is given.
   */
  readonly from?: string | URL;
  /** Ends it: rejects with `signal.reason`, and what was not complete is not there. */
  readonly signal?: AbortSignal;
  /** News for people. */
  readonly onProgress?: (progress: PackageProgress) => void;
}

export interface ImportsOptions extends InstallOptions {
  /** What to install for an import that is not called like its package: `{ cv2: "opencv-python" }`. */
  readonly names?: Readonly<Record<string, string>>;
}

export interface PackageProgress {
  /** Looking a name up, downloading a file, or installing a package. */
  readonly stage: "index" | "download" | "install";
  /** The project's or the file's name. */
  readonly name: string;
  /** Bytes; while downloading. */
  readonly loaded?: number;
  /** Bytes, where the server says it. */
  readonly total?: number;
}

/** A wheel as a lock names it. */
export interface LockedPackage {
  /** As the index spells it: `typing-extensions`. */
  readonly name: string;
  readonly version: string;
  /** The wheel's file name. */
  readonly file: string;
  /** In hexadecimal digits. */
  readonly sha256: string;
  /** Bytes; null when it is not known. */
  readonly size: number | null;
  /** Where it was taken from; null: only a folder knows. */
  readonly url: string | null;
  /** The names that it makes importable. */
  readonly imports: readonly string[];
}

/** What was installed, so that it can be installed again: plain JSON. */
export interface Lock {
  readonly isopyLock: 1;
  /** `3.14` */
  readonly python: string;
  /** `pyemscripten_2026_0_wasm32` */
  readonly platform: string;
  readonly packages: readonly LockedPackage[];
}

/** A package that can be imported. What somebody else put there has no file, hash and URL. */
export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
  readonly file: string | null;
  readonly sha256: string | null;
  readonly size: number | null;
  /** The URL of the wheel. */
  readonly url: string | null;
  readonly imports: readonly string[];
}

export interface InstallReport {
  /** New ones, with what they need. */
  readonly installed: readonly InstalledPackage[];
  /** What was asked for and there already. */
  readonly present: readonly { readonly name: string; readonly version: string }[];
}

/**
 * Why a package was not installed.
 *
 * `"not-found"`: no such project, file or entry of the lock. `"no-wheel"`: none for this Python and platform, or none of
 * that version. `"hash"`, `"truncated"`, `"html"`, `"invalid"`: what came is not what was promised, a part of it, a page,
 * no wheel. `"http"`: a status that is no success. `"network"`: nothing answered. `"conflict"`: another version is
 * installed. `"memory"`: it does not fit. `"failed"`: something else; the message says what.
 */
export type FailureCause =
  | "not-found"
  | "no-wheel"
  | "hash"
  | "truncated"
  | "html"
  | "invalid"
  | "http"
  | "network"
  | "conflict"
  | "memory"
  | "failed";

export interface PackageFailure {
  /** As it was asked for. */
  readonly requirement: string;
  /** The project that failed: the requirement's, or one that it needs. */
  readonly name: string;
  readonly cause: FailureCause;
  readonly message: string;
  readonly url?: string;
  /** Of HTTP. */
  readonly status?: number;
  /** Bytes that came. */
  readonly size?: number;
}

/**
 * Packages of an engine. What is installed belongs to the engine and ends with it: keep a {@link Lock}.
 *
 * Engines: wasm. On native every method rejects with `ERR_UNSUPPORTED`: install into the environment that it uses.
 */
export interface Packages {
  /**
   * Installs wheels and what they need. Each requirement is all or nothing, and one that fails leaves the others usable.
   *
   * @param requirements names with versions (`"numpy"`, `"six>=1.16"`, `"pydantic[email]"`), or wheels: URLs, and in
   *   Node paths. URLs are relative to the page. A hash may be at the end: `"./mine-1.0-py3-none-any.whl#sha256=…"`.
   * @throws {PackageError} `ERR_PACKAGE`, with every requirement that failed
   * @throws {EngineError} `ERR_OPTION`, `ERR_UNSUPPORTED`, `ERR_ENGINE_LOST`
   * @example
   * await py.packages.install(["pydantic", "./mine-1.0-py3-none-any.whl"], { onProgress: console.log });
   */
  install(requirements: string | URL | readonly (string | URL)[], options?: InstallOptions): Promise<InstallReport>;
  /** Everything of a lock or a folder: `install({ lock })`, `install({ from: "./wheels" })`. */
  install(options: InstallOptions): Promise<InstallReport>;
  /** Everything that can be imported as a package, by name. */
  list(): Promise<readonly InstalledPackage[]>;
  /** What was installed, to be installed again with `install({ lock })`. Order and content depend on nothing else. */
  lock(): Promise<Lock>;
  /**
   * The imports of a piece of code that would fail, as module names. The code is read, not run.
   *
   * @throws {PythonError} `SyntaxError`
   */
  missing(code: string): Promise<readonly string[]>;
  /**
   * Installs what `missing` finds. The lock says which package has a module; else a package of the module's name is
   * taken, but for some well-known ones and `options.names`.
   *
   * A name on an index belongs to whoever registered it first: for code of strangers give a lock or a folder.
   *
   * @throws {PackageError} `ERR_PACKAGE`
   * @example
   * await py.packages.installImports(cell.source, { from: "/wheels/" });
   */
  installImports(code: string, options?: ImportsOptions): Promise<InstallReport>;
}

/** Loads the part that installs. */
export type OpenPackages = (engine: Engine) => Promise<Packages>;

export class LazyPackages implements Packages {
  readonly #engine: Engine;
  readonly #open: OpenPackages | undefined;
  #opened: Promise<Packages> | undefined;

  constructor(engine: Engine, open: OpenPackages | undefined) {
    this.#engine = engine;
    this.#open = open;
  }

  async install(...args: [unknown, InstallOptions?]): Promise<InstallReport> {
    return (await this.#loaded()).install(...(args as [string, InstallOptions?]));
  }

  async list(): Promise<readonly InstalledPackage[]> {
    return (await this.#loaded()).list();
  }

  async lock(): Promise<Lock> {
    return (await this.#loaded()).lock();
  }

  async missing(code: string): Promise<readonly string[]> {
    return (await this.#loaded()).missing(code);
  }

  async installImports(code: string, options?: ImportsOptions): Promise<InstallReport> {
    return (await this.#loaded()).installImports(code, options);
  }

  #loaded(): Promise<Packages> {
    if (this.#open === undefined) {
      throw new EngineError(
        "ERR_UNSUPPORTED",
        "This engine's packages are those of its Python's environment.",
        'Install there ("python -m pip install numpy", in a virtual environment) and name it: createPython({ python: ".venv" }).',
      );
    }
    this.#opened ??= this.#open(this.#engine).catch((error: unknown) => {
      this.#opened = undefined; // a script that did not come may come the next time
      throw error;
    });
    return this.#opened;
  }
}
