/**
 * From a backend to a running Python.
 */
import type { Backend, BackendHost } from "./backend.ts";
import { type FacadeOptions, readCoreOptions } from "./core-options.ts";
import { Engine } from "./engine.ts";
import { EngineError } from "./errors.ts";
import { SessionRegistry } from "./events.ts";
import { type Isolate, Python } from "./facade.ts";
import { optionReader } from "./options.ts";
import { serviceCall } from "./service.ts";
import { Succession, Tenure } from "./succession.ts";
import { loadTemporal } from "./values/temporal.ts";
import { Mode } from "./wire/frames.ts";

export { type CoreOptions, type FacadeOptions, readCoreOptions } from "./core-options.ts";

/** What the engine is asked for before anything else, because somebody reads or writes its streams. */
export function streamsOf({ stdin, sinks }: FacadeOptions): (readonly [module: string, name: string, args: readonly unknown[]])[] {
  return [
    ...(stdin === undefined ? [] : [["_isopy.input", "use", [stdin]] as const]),
    ...(sinks.onLog === undefined ? [] : [["_isopy.logs", "start", []] as const]),
  ];
}

/**
 * Starts a backend and puts a facade on it.
 *
 * @throws {EngineError} `ERR_BACKEND_UNAVAILABLE` when it does not start, `ERR_PROTOCOL` when it speaks another protocol
 */
export async function createFacade(
  backend: Backend,
  options: FacadeOptions = readCoreOptions(optionReader("createPython", {})),
): Promise<Python> {
  const { start, sinks, trace } = options;
  start.signal?.throwIfAborted();
  checkFate(backend, options);
  const engine = new Engine(backend, start.limits, trace);
  const prelude = () => streamsOf(options).map(([module, name, args]) => serviceCall(engine, module, name, args));
  const succession = options.replaces && options.another ? new Succession(options.another, start, options.spare) : undefined;
  const tenure = succession && new Tenure();
  engine.destine({ onLoss: options.onLoss, grace: options.grace, succession, tenure, prelude });
  const host: BackendHost = tenure ?? engine;
  const sessions = new SessionRegistry(sinks);
  engine.onEvent = sessions.receive;
  try {
    const [info] = await Promise.all([backend.start(start, host), loadTemporal()]);
    if (info.protocol !== 1) {
      throw new EngineError(
        "ERR_PROTOCOL",
        `The engine speaks protocol ${info.protocol}, this library speaks 1.`,
        "Use the isopy that the engine came with.",
      );
    }
    engine.opened(info);
    await Promise.all(prelude().map((node) => engine.start(node, Mode.NONE, undefined).promise));
    succession?.prepare();
  } catch (error) {
    await engine.close();
    throw error;
  }
  const { isolated } = backend;
  const isolate: Isolate | undefined = isolated && ((gil) => createFacade(isolated.call(backend, gil), optionsOfIsolated(options)));
  const why = { fallback: options.fallback ?? null, resolution: options.resolution ?? [] };
  return new Python(engine, sessions, why, isolate, options.packages);
}

/**
 * What an engine cannot do is refused before it starts.
 *
 * @throws {EngineError} `ERR_UNSUPPORTED`
 */
export function checkFate(backend: Backend, { grace, replaces, spare, another }: FacadeOptions): void {
  const refuse = (option: string, why: string) => {
    throw new EngineError(
      "ERR_UNSUPPORTED",
      `createPython: ${option} is not for the ${backend.name} engine: ${why}.`,
      'Use { backend: "wasm" }, whose engine is a worker of its own.',
    );
  };
  if (grace !== undefined && backend.condemnation === undefined)
    refuse('whenUnresponsive: "condemn"', "it lives in this process, and cannot be ended without it");
  if (replaces && another === undefined) refuse('whenLost: "replace"', "it lives in this process, where no other can be started");
  if (spare && !replaces) {
    throw new EngineError("ERR_OPTION", "createPython: a spare engine is never used.", 'Write: { whenLost: "replace", spare: true }.');
  }
}

/** What an isolated context takes over. The environment variables are the process's already. */
function optionsOfIsolated(options: FacadeOptions): FacadeOptions {
  const { signal, onProgress, ...start } = options.start;
  return { ...options, start: { ...start, env: {} } };
}
