/** What an engine is told before it starts, and what this backend adds to what it says about itself. */
import type { EngineInfo, InterpreterInfo, StartOptions } from "../../core/backend.ts";
import { readHello } from "../../core/transport.ts";
import { EMPTY_DICT, LIST, MARK, PROTO, SETITEMS, STOP, TUPLE3 } from "../../core/wire/opcodes.ts";
import { ByteSink } from "../../core/wire/sink.ts";

/** `(paths, env, args)` for `prepare` in native/bootstrap.h, which runs before the engine is made. */
export function engineSetup({ paths, env, args }: StartOptions): Uint8Array {
  const sink = new ByteSink();
  const ops = (...codes: number[]) => codes.forEach((code) => sink.op(code));
  const list = (items: readonly string[]) => {
    ops(MARK);
    for (const item of items) sink.text(item);
    ops(LIST);
  };
  ops(PROTO, 5);
  list(paths);
  ops(EMPTY_DICT, MARK);
  for (const [name, value] of Object.entries(env)) {
    sink.text(name);
    sink.text(value);
  }
  ops(SETITEMS);
  list(args);
  ops(TUPLE3, STOP);
  return sink.copy();
}

export function engineInfo(greeting: Uint8Array, sharedMemory: boolean, interpreter: InterpreterInfo | undefined): EngineInfo {
  const hello = readHello(greeting);
  return {
    ...hello,
    backend: "native",
    ...(interpreter === undefined ? {} : { interpreter }),
    capabilities: {
      ...hello.capabilities,
      sync: interpreter === undefined, // `isopy/sync` has no contexts
      interrupt: true,
      sharedMemory,
    },
  };
}
