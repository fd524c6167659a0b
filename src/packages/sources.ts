/**
 * Where the files of a project are: on an index, or in a lock. Python chooses among them.
 */
import type { Lock, LockedPackage } from "../core/packages.ts";
import { canonical } from "./lock.ts";
import { type Missed, missed, type Reach, type Reading } from "./reach.ts";

/** A wheel that can be had. */
export interface ProjectFile {
  readonly file: string;
  readonly url: string;
  readonly sha256: string | null;
  readonly size: number | null;
  /** Taken back by its authors: chosen only when nothing else fits. */
  readonly yanked: boolean | string;
  /** `Requires-Python` */
  readonly python: string | null;
}

export interface Source {
  /** For people: where it looks. */
  readonly place: string;
  project(name: string, how: Reading): Promise<{ readonly files: readonly ProjectFile[] } | Missed>;
}

const JSON_PAGE = "application/vnd.pypi.simple.v1+json";

/** An entry of a project's page (PEP 691). */
interface PageFile {
  readonly filename?: unknown;
  readonly url?: unknown;
  readonly hashes?: { readonly sha256?: unknown };
  readonly size?: unknown;
  readonly yanked?: unknown;
  readonly "requires-python"?: unknown;
}

/** A package index over HTTP. */
export class Index implements Source {
  readonly place: string;
  readonly #reach: Reach;

  constructor(reach: Reach, place: string) {
    this.#reach = reach;
    this.place = place.endsWith("/") ? place : `${place}/`;
  }

  async project(name: string, how: Reading): Promise<{ files: readonly ProjectFile[] } | Missed> {
    const url = `${this.place}${encodeURIComponent(name)}/`;
    const page = await this.#reach.read(url, { ...how, accept: JSON_PAGE });
    if (missed(page)) {
      if (page.cause === "not-found") return { ...page, message: `there is no ${name} on ${this.place} (${page.status})` };
      if (page.cause === "html") return { ...page, message: `${page.message}; an index has to answer with the JSON of PEP 691` };
      return page;
    }
    try {
      const { files } = JSON.parse(new TextDecoder().decode(page.bytes)) as { readonly files: readonly PageFile[] };
      return { files: files.flatMap((file) => wheel(file, page.url)) };
    } catch {
      const size = page.bytes.length;
      return { cause: "invalid", message: `${url} answered with ${size} bytes that are no page of an index (PEP 691)`, url, size };
    }
  }
}

/** Projects have thousands of files; only wheels that WebAssembly could use go to Python. */
function wheel({ filename, url, hashes, size, yanked, "requires-python": python }: PageFile, base: string): ProjectFile[] {
  if (typeof filename !== "string" || typeof url !== "string" || !/-(any|[^-]*wasm32)\.whl$/.test(filename)) return [];
  const { sha256 } = hashes ?? {};
  return [
    {
      file: filename,
      url: new URL(url, base).href,
      sha256: typeof sha256 === "string" ? sha256.toLowerCase() : null,
      size: typeof size === "number" ? size : null,
      yanked: typeof yanked === "string" || yanked === true ? yanked : false,
      python: typeof python === "string" ? python : null,
    },
  ];
}

/** The packages of a lock, in a folder or where the lock says. */
export class Locked implements Source {
  readonly place: string;
  readonly #packages: readonly LockedPackage[];
  readonly #folder: URL | undefined;
  readonly #beside: URL | undefined;

  /**
   * @param folder where the wheels are, whatever the lock says
   * @param beside where the lock was: its relative URLs, and wheels without one, are there
   */
  constructor(lock: Lock, folder: URL | undefined, beside: URL | undefined) {
    this.place = (folder ?? beside)?.href ?? "the lock";
    this.#packages = lock.packages;
    this.#folder = folder;
    this.#beside = beside;
  }

  /** Everything in it. */
  all(): readonly { readonly entry: LockedPackage; readonly file: ProjectFile | Missed }[] {
    return this.#packages.map((entry) => ({ entry, file: this.#file(entry) }));
  }

  async project(name: string): Promise<{ files: readonly ProjectFile[] } | Missed> {
    const found = this.#packages.filter((entry) => canonical(entry.name) === name);
    if (found.length === 0) return { cause: "not-found", message: `there is no ${name} in the lock (${this.place})`, url: this.place };
    const files: ProjectFile[] = [];
    for (const entry of found) {
      const file = this.#file(entry);
      if (missed(file)) return file;
      files.push(file);
    }
    return { files };
  }

  #file({ file, url, sha256, size }: LockedPackage): ProjectFile | Missed {
    const known = { file, sha256, size: size ?? null, yanked: false, python: null };
    const name = encodeURIComponent(file);
    if (this.#folder !== undefined) return { ...known, url: new URL(name, this.#folder).href };
    try {
      return { ...known, url: new URL(url ?? name, this.#beside).href };
    } catch {
      return { cause: "not-found", message: `the lock does not say where ${file} is; give its folder: { from }`, url: file };
    }
  }
}
