/**
 * Events of an engine, to whom they belong: a cell, or the sinks given to `createPython`.
 *
 * Events of one engine arrive in order, and before the reply of the program that caused them.
 */
import type { PythonError } from "./errors.ts";

/** `Content-Type` → data, as Jupyter has it. */
export type MimeBundle = Readonly<Record<string, unknown>>;

/** What a cell says while it runs. */
export type CellEvent =
  | { readonly type: "stream"; readonly name: "stdout" | "stderr"; readonly text: string }
  | { readonly type: "execute_result"; readonly data: MimeBundle; readonly metadata: MimeBundle; readonly executionCount: number }
  | { readonly type: "display_data"; readonly data: MimeBundle; readonly metadata: MimeBundle; readonly transient: MimeBundle }
  | { readonly type: "error"; readonly error: PythonError }
  | { readonly type: "status"; readonly state: "busy" | "idle" }
  | { readonly type: "clear_output"; readonly wait: boolean }
  | LogEvent
  | { readonly type: "unhandled"; readonly error: PythonError };

export interface LogEvent {
  readonly type: "log";
  readonly level: string;
  readonly logger: string;
  readonly message: string;
}

/** Where output goes that belongs to no cell. */
export interface Sinks {
  /** Text that Python writes to `sys.stdout`, outside cells. Default: the process's own; in a page the console. */
  readonly stdout?: (text: string) => void;
  readonly stderr?: (text: string) => void;
  /** Records of Python's `logging`, from `DEBUG` up. Default: Python's own handling. */
  readonly onLog?: (record: LogEvent) => void;
  /** A background task of Python failed and nobody awaits it. Without this it is written to stderr. */
  readonly onUnhandled?: (error: PythonError) => void;
}

/** Takes the events of one cell. */
export type CellSink = (event: CellEvent) => void;

export class SessionRegistry {
  readonly #sinks: Sinks;
  readonly #cells = new Map<string, CellSink>();

  constructor(sinks: Sinks) {
    this.#sinks = sinks;
  }

  open(session: number, cell: number, sink: CellSink): void {
    this.#cells.set(`${session}/${cell}`, sink);
  }

  close(session: number, cell: number): void {
    this.#cells.delete(`${session}/${cell}`);
  }

  readonly receive = (kind: string, session: number, cell: number, data: readonly unknown[]): void => {
    const event = read(kind, data);
    if (event === undefined) return; // of a newer engine
    const sink = this.#cells.get(`${session}/${cell}`);
    if (sink !== undefined) sink(event);
    else this.#elsewhere(event);
  };

  /** No cell, or one that is over: a thread it left behind still prints. */
  #elsewhere(event: CellEvent): void {
    const { stdout, stderr, onLog, onUnhandled } = this.#sinks;
    if (event.type === "stream") (event.name === "stderr" ? stderr : stdout)?.(event.text);
    else if (event.type === "log") onLog?.(event);
    else if (event.type === "unhandled") {
      if (onUnhandled !== undefined) onUnhandled(event.error);
      else stderr?.(`A background task of Python failed:\n${event.error.traceback}`);
    }
  }
}

function read(kind: string, data: readonly unknown[]): CellEvent | undefined {
  const [a, b, c] = data;
  switch (kind) {
    case "stream":
      return { type: kind, name: a as "stdout" | "stderr", text: b as string };
    case "execute_result":
      return { type: kind, data: a as MimeBundle, metadata: b as MimeBundle, executionCount: c as number };
    case "display_data":
      return { type: kind, data: a as MimeBundle, metadata: b as MimeBundle, transient: c as MimeBundle };
    case "error":
    case "unhandled":
      return { type: kind, error: a as PythonError };
    case "status":
      return { type: kind, state: a as "busy" | "idle" };
    case "clear_output":
      return { type: kind, wait: a === true };
    case "log":
      return { type: kind, level: String(a), logger: String(b), message: String(c) };
    default:
      return undefined;
  }
}
