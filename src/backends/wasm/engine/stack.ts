/**
 * How much C stack Python may use before it raises RecursionError.
 *
 * Pyodide allows 10 MB in WebAssembly's memory, but the calls themselves lie on JavaScript's stack,
 * which a browser's worker has about 1 MB of; what overflows that one ends the engine. Measured in
 * Chromium (Pyodide 314), C stack in use when it broke: 230 kB in recursion through `__getattr__`,
 * 278 kB through `__str__`, 480 kB in pickle, 770 kB in sort; compiling the standard library takes 80.
 */
import type { PyodideInterface } from "pyodide";

/** Bytes, for a Web Worker. */
export const WEB_WORKER_STACK = 192 * 1024;

interface Internals {
  _emscripten_stack_get_base(): number;
  _PyThreadState_Get(): number;
  _PyUnstable_ThreadState_SetStackProtection(thread: number, start: number, size: number): number;
}

export function limitStack(pyodide: PyodideInterface, bytes: number): void {
  const internals = (pyodide as unknown as { _module: Internals })._module;
  const start = internals._emscripten_stack_get_base() - bytes;
  internals._PyUnstable_ThreadState_SetStackProtection(internals._PyThreadState_Get(), start, bytes);
}
