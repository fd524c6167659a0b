/**
 * Memory of Python objects in JavaScript: ArrayBuffers that lie over it, and their end.
 *
 * An ArrayBuffer of `toJs(x, { view: true })` pins the Python object until it is collected, or ended
 * here. Which backend it belongs to is remembered beside it.
 */
import type { ExportedMemory, ExportId } from "./backend.ts";
import { EngineError } from "./errors.ts";

interface Owner {
  readonly memory: ExportedMemory;
  readonly id: ExportId;
}

const owners = new WeakMap<ArrayBufferLike, Owner>();

/** Remembers whose an ArrayBuffer is that lies over an export. */
export function viewing(memory: ExportedMemory, id: ExportId, buffer: ArrayBufferLike): void {
  owners.set(buffer, { memory, id });
}

/** The ArrayBuffer of an export that a reply names. */
export function claimed(memory: ExportedMemory | undefined, id: ExportId): ArrayBuffer {
  if (memory === undefined) throw new EngineError("ERR_PROTOCOL", "The engine sent a view, and it shares no memory.");
  const buffer = memory.claim(id);
  viewing(memory, id, buffer);
  return buffer;
}

/** Whether an ArrayBuffer lies over memory of Python. */
export function ofPython(buffer: ArrayBufferLike): boolean {
  return owners.has(buffer);
}

/** A copy of the memory of an export that a reply names. */
export function copied(memory: ExportedMemory | undefined, id: ExportId): ArrayBuffer {
  if (memory === undefined) throw new EngineError("ERR_PROTOCOL", "The engine sent memory, and it shares none.");
  return memory.copy(id);
}

/** What {@link release} takes: an array or a buffer. */
export type Viewing = ArrayBufferLike | ArrayBufferView | { readonly data: unknown };

/**
 * Ends a view now instead of when it is collected: its ArrayBuffer is detached (length 0), and the
 * Python object may be resized and freed again. Every array over the same ArrayBuffer ends with it.
 *
 * Nothing happens to what is no view, or is over already, or whose memory was moved to another
 * ArrayBuffer with `transfer()`: that one has it until it is collected.
 *
 * Engines: all; only native has views.
 *
 * @param view what `toJs(x, { view: true })` gave: a TypedArray, an NDArray, or their ArrayBuffer
 * @returns whether this call ended a view
 * @throws {EngineError} `ERR_ARGUMENT` for what is no object
 * @example
 * const pixels = await toJs(image, { view: true });
 * pixels[0] = 255;              // Python sees it
 * release(pixels);
 * await image.extend(more);     // a bytearray may grow again
 */
export function release(view: Viewing): boolean {
  if (typeof view !== "object" || view === null) {
    throw new EngineError(
      "ERR_ARGUMENT",
      "release() takes a TypedArray, an NDArray or their ArrayBuffer.",
      "A ref ends with ref[Symbol.dispose]().",
    );
  }
  const data: unknown = !ArrayBuffer.isView(view) && "data" in view ? view.data : view;
  const buffer = ArrayBuffer.isView(data) ? data.buffer : data;
  if (!(buffer instanceof ArrayBuffer)) return false;
  const owner = owners.get(buffer);
  if (owner === undefined) return false;
  owners.delete(buffer);
  return owner.memory.end(owner.id, buffer);
}
