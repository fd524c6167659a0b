/** A boundary without an engine, and a real CPython that loads and dumps what the codec writes. */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import type { Inbound, Outbound, WireError } from "../../src/core/marshal/boundary.ts";
import { type DecodeOptions, decodeStream } from "../../src/core/marshal/decode.ts";
import { encodeStream } from "../../src/core/marshal/encode.ts";
import { PyEnumMember } from "../../src/core/values/enum.ts";

export const limits = { maxDepth: 10_000, maxNodes: 10_000_000, maxBytes: 1 << 30 };

export class FakeRef {
  constructor(
    readonly id: number,
    readonly flags = 0,
    readonly typeName = "",
  ) {}
}
export class FakeExpr {
  constructor(readonly slot: number) {}
}
export interface Lent {
  readonly value: unknown;
  readonly flags: number;
  readonly name: string;
}

/** Both halves of the boundary; what was lent comes back as the very same value. */
export class Boundary implements Outbound, Inbound {
  readonly lends: Lent[] = [];
  readonly errors: WireError[] = [];
  readonly exceptions = new Map<object, number>();
  readonly marks = new Map<object, number>();
  readonly members = new Map<PyEnumMember, number>();

  handle(value: object): number | undefined {
    return value instanceof FakeRef ? value.id : this.members.get(value as PyEnumMember);
  }
  slot(value: object): number | undefined {
    return value instanceof FakeExpr ? value.slot : undefined;
  }
  lend(value: object | symbol, flags: number, name: string): number {
    return this.lends.push({ value, flags, name });
  }
  marked(value: object): number | undefined {
    return this.marks.get(value);
  }
  loan(): never {
    throw new Error("nothing lasts here");
  }
  ruled(): undefined {}
  memory(): never {
    throw new Error("there is no shared memory here");
  }
  copied(): never {
    throw new Error("there is no shared memory here");
  }
  rule(): never {
    throw new Error("there are no rules here");
  }
  exception(error: object): number | undefined {
    return this.exceptions.get(error);
  }
  ref(id: number, flags: number, typeName: string): object {
    return new FakeRef(id, flags, typeName);
  }
  lent(id: number): unknown {
    return this.lends[id - 1]?.value;
  }
  enumMember(id: number, name: string, value: unknown, typeName: string): object {
    const member = new PyEnumMember(name, value, typeName);
    this.members.set(member, id);
    return member;
  }
  pythonError(fields: WireError): Error {
    this.errors.push(fields);
    return new Error(`${fields.name}: ${fields.message}`);
  }
}

export function encode(value: unknown, boundary = new Boundary(), options: Partial<Parameters<typeof encodeStream>[2]> = {}): Uint8Array {
  return encodeStream(value, boundary, { limits, ...options });
}
export function decode(bytes: Uint8Array, options?: DecodeOptions, boundary = new Boundary()): unknown {
  return decodeStream(bytes, boundary, options);
}
/** There and back again, without Python. */
export function there(value: unknown, options?: DecodeOptions): unknown {
  const boundary = new Boundary();
  return decode(encode(value, boundary), options, boundary);
}

const SCRIPT = `
import io, pickle, sys, types
class Ext(tuple): pass
def v(*operands): raise TypeError
v.__module__ = "_isopy"; v.__qualname__ = "v"
sys.modules["_isopy"] = types.ModuleType("_isopy"); sys.modules["_isopy"].v = v
class Load(pickle.Unpickler):
    def persistent_load(self, pid): return Ext(pid)
class Dump(pickle.Pickler):
    def reducer_override(self, obj): return (v, tuple(obj)) if type(obj) is Ext else NotImplemented
class SlowDump(pickle._Pickler):
    def reducer_override(self, obj): return (v, tuple(obj)) if type(obj) is Ext else NotImplemented
def dumped(cls, value):
    out = io.BytesIO(); cls(out, 5).dump(value); return out.getvalue()
def text(value):
    return type(value).__name__ + " " + ascii(value)
scope = {"Ext": Ext}
stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
sys.setrecursionlimit(100000)
while True:
    head = stdin.read(5)
    if len(head) < 5: break
    body = stdin.read(int.from_bytes(head[1:], "little"))
    try:
        mode = head[:1]
        if mode == b"e": answer = dumped(Dump, Load(io.BytesIO(body)).load())
        elif mode == b"s": answer = dumped(SlowDump, Load(io.BytesIO(body)).load())
        elif mode == b"d":
            value, depth = Load(io.BytesIO(body)).load(), 0
            while type(value) is list: value, depth = (value[0] if value else None), depth + 1
            answer = dumped(Dump, depth)
        elif mode == b"t": answer = dumped(Dump, text(Load(io.BytesIO(body)).load()))
        else:
            source = body.decode("utf-8", "surrogatepass")
            exec(source, scope); answer = dumped(Dump, scope["result"])
    except BaseException as error:
        answer = dumped(Dump, "FAILED " + repr(error))
    stdout.write(len(answer).to_bytes(4, "little") + answer); stdout.flush()
`;

export const pythonMissing: string | undefined =
  spawnSync("python3", ["-c", "import sys; sys.exit(0 if sys.version_info >= (3, 8) else 1)"]).status === 0
    ? undefined
    : "no python3 on PATH";

/** One CPython; requests are answered in order. */
export class CPython {
  readonly #child: ChildProcessWithoutNullStreams;
  #received = Buffer.alloc(0);
  readonly #waiting: { resolve: (bytes: Uint8Array) => void; reject: (error: Error) => void }[] = [];
  #stderr = "";

  constructor() {
    this.#child = spawn("python3", ["-c", SCRIPT]);
    this.#child.stderr.on("data", (chunk) => (this.#stderr += String(chunk)));
    this.#child.stdin.on("error", () => {}); // the exit below says more
    this.#child.stdout.on("data", (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      while (this.#received.length >= 4) {
        const size = this.#received.readUInt32LE(0);
        if (this.#received.length < 4 + size) return;
        this.#waiting.shift()?.resolve(new Uint8Array(this.#received.subarray(4, 4 + size)));
        this.#received = this.#received.subarray(4 + size);
      }
    });
    this.#child.on("close", (code, signal) => {
      for (const { reject } of this.#waiting) reject(new Error(`python3 ended with ${code ?? signal}: ${this.#stderr}`));
    });
  }

  #ask(mode: string, body: Uint8Array): Promise<Uint8Array> {
    const head = Buffer.alloc(5);
    head.write(mode, 0, "latin1");
    head.writeUInt32LE(body.length, 1);
    this.#child.stdin.write(Buffer.concat([head, body]));
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** Loaded and dumped again, by CPython's C code or by its Python code. */
  echo(bytes: Uint8Array, slowly = false): Promise<Uint8Array> {
    return this.#ask(slowly ? "s" : "e", bytes);
  }
  /** Type and `ascii()` of what CPython loads. */
  async text(bytes: Uint8Array): Promise<string> {
    return decode(await this.#ask("t", bytes)) as string;
  }
  /** How deep CPython finds lists nested. */
  async depth(bytes: Uint8Array): Promise<number> {
    return decode(await this.#ask("d", bytes)) as number;
  }
  /** The pickle of `result` after these statements. */
  async make(source: string): Promise<Uint8Array> {
    return this.#ask("x", new TextEncoder().encode(source));
  }
  close(): void {
    this.#child.stdin.end();
  }
}
