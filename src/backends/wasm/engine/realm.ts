/**
 * What a worker's platform gives the engine: files, and a net under uncaught failures.
 */
import type { PyodideInterface } from "pyodide";
import type { EngineFiles } from "../contract.ts";

/** Files, made loadable for Pyodide. */
export interface OpenedFiles {
  readonly indexURL: string;
  readonly stdLibURL: string;
  /** Rejects when Pyodide cannot go on, and would not say so. */
  readonly failed?: Promise<never>;
  /** Ends what was set up for loading. */
  done(): void;
}

export interface Realm {
  /** The package's own files. */
  readonly files: EngineFiles;
  /** Bytes of C stack that Python may use; undefined: what Pyodide allows. */
  readonly stack?: number;
  /** Where packages are looked for: never another origin. */
  readonly base: string;
  /**
   * Makes sure that the files are there, and are the build's, before Pyodide asks for them: Pyodide itself waits for ever.
   * @param progress in bytes
   * @throws {StartError} naming the file
   */
  open(files: EngineFiles, progress: (loaded: number, total: number) => void): Promise<OpenedFiles>;
  /** Only where there are files of a host: makes those that `paths` names Python's too; the paths for `sys.path`. */
  bring?(pyodide: PyodideInterface, paths: readonly string[]): string[];
  /** Takes a lock that is released when this worker ends, however that is. */
  hold?(name: string): Promise<void>;
  /** The last lines that Pyodide itself wrote to the console; empty where they are left there. */
  tail(): string;
  /** Failures that nobody caught, e.g. in a callback of Python's event loop; the worker lives on. */
  onUncaught(listener: (error: unknown) => void): void;
}

/** A start that failed for a reason we can explain. */
export class StartError extends Error {
  readonly hint: string;
  constructor(message: string, hint: string, options?: ErrorOptions) {
    super(message, options);
    this.hint = hint;
  }
}
