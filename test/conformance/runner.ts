/**
 * What a vector may ask of an engine, the same for the asynchronous and the synchronous facade.
 *
 * Every answer may be awaited: on the synchronous facade it is there already. `py` and `api` are
 * deliberately untyped: a vector is a scene about values, and types have tests of their own.
 */
import type { Need } from "./vector.ts";

// biome-ignore lint/suspicious/noExplicitAny: attributes of Python objects are only known at run time
export type Loose = any;

export type EngineName = "native-async" | "native-isolated" | "native-sync" | "wasm-node" | "browser";

/** One evaluation of `probe.py`: statements, then an expression, with JavaScript values bound. */
export interface Evaluation {
  readonly source: string;
  readonly setup?: string;
  readonly values?: Record<string, unknown>;
  /** Options of `run`; `{ convert: "ref" }` keeps a handle. */
  readonly options?: Readonly<Record<string, unknown>>;
}

export interface Runner {
  readonly engine: EngineName;
  readonly capabilities: Readonly<Record<Need, boolean>>;
  /** Major and minor version of the engine's Python. */
  readonly python: readonly [number, number];
  /** Optional modules that this Python can import. */
  readonly modules: ReadonlySet<string>;
  /** The facade. */
  readonly py: Loose;
  /** The verbs and classes of the facade's module. */
  readonly api: Loose;
  /** `probe.py`, kept as a ref. */
  readonly probe: Loose;
  evaluate(what: Evaluation): Promise<unknown>;
  /** `toJs` of a value that is a ref. */
  toJs(value: unknown, options: Readonly<Record<string, unknown>>): Promise<unknown>;
  /** The value of something reached from a ref: data, where it is data. */
  settle(value: unknown): Promise<Loose>;
  /** Another engine of the same kind with small limits; started on first use, shared by the vectors. */
  limited(): Promise<Runner>;
  /** Gives back every ref inside a value. */
  release(value: unknown): void;
  /** How many handles JavaScript holds. */
  handles(): number;
  close(): Promise<void>;
}
