/**
 * The public surface that every entry shares; `createPython` comes from the entry itself.
 */
export type { Capabilities, EngineInfo, LossKind, StartProgress } from "./core/backend.ts";
export type { Cell, CellResult } from "./core/cell.ts";
export type { ConvertOptions, ReadOptions, RunOptions, Target } from "./core/conversion.ts";
export type { CoreOptions } from "./core/core-options.ts";
export type { Loss } from "./core/engine.ts";
export { type Entered, enter } from "./core/enter.ts";
export { EngineError, type EngineErrorCode, PackageError, PythonError, type PythonFrame } from "./core/errors.ts";
export type { CellEvent, LogEvent, MimeBundle, Sinks } from "./core/events.ts";
export type { Context, ContextOptions, HandleTable, Python, PythonInfo } from "./core/facade.ts";
export type { HandleEntry } from "./core/handles.ts";
export { type ProxyOptions, proxy } from "./core/lending.ts";
export { type LentMemory, type Viewable, type ViewOptions, view } from "./core/lent-memory.ts";
export { release, type Viewing } from "./core/memory.ts";
export type { Evaluate, Globals, ImportOptions, Namespace } from "./core/namespace.ts";
export type {
  FailureCause,
  ImportsOptions,
  InstalledPackage,
  InstallOptions,
  InstallReport,
  Lock,
  LockedPackage,
  PackageFailure,
  PackageProgress,
  Packages,
} from "./core/packages.ts";
export type { JsRule, PythonRule, Rules } from "./core/rules.ts";
export { type Scope, scope } from "./core/scope.ts";
export type { CellOptions, Session, SessionOptions } from "./core/session.ts";
export type { SourceOptions } from "./core/source.ts";
export { as } from "./core/targets.ts";
export { transfer } from "./core/transfer.ts";
export type { Evaluable, PyExpr, PyRef, Settled, Untyped } from "./core/types.ts";
export type { ArrowColumn, ArrowField, ArrowTable } from "./core/values/arrow.ts";
export { PyComplex } from "./core/values/complex.ts";
export { PyDecimal } from "./core/values/decimal.ts";
export { PyEnumMember } from "./core/values/enum.ts";
export { float } from "./core/values/float.ts";
export { PyFraction } from "./core/values/fraction.ts";
export type { Kwargs } from "./core/values/kwargs.ts";
export { NDArray } from "./core/values/ndarray.ts";
export { PyRange } from "./core/values/range.ts";
export { Ellipsis, NotImplemented } from "./core/values/singletons.ts";
export { PySlice } from "./core/values/slice.ts";
export { bytearray, frozenset, tuple } from "./core/values/tags.ts";
export {
  call,
  del,
  delItem,
  get,
  handlesOf,
  type IterateOptions,
  isExpr,
  isRef,
  item,
  iterate,
  kw,
  ref,
  run,
  set,
  setItem,
  slice,
  toJs,
} from "./core/verbs.ts";
