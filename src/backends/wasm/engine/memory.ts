/**
 * A bound on WebAssembly's memory: Emscripten asks it to grow, and a refusal is a MemoryError in Python.
 *
 * The module makes its memory itself, with 4 GiB as its maximum, so the bound can only stand where it grows.
 */
const PAGE = 65_536;

/** @param bytes for every memory of this realm, which has one */
export function limitMemory(bytes: number): void {
  const { prototype } = WebAssembly.Memory;
  const { grow } = prototype;
  prototype.grow = function (this: WebAssembly.Memory, pages: number) {
    if (this.buffer.byteLength + pages * PAGE > bytes) throw new RangeError(`Python may have ${bytes} bytes of memory.`);
    return grow.call(this, pages);
  };
}
