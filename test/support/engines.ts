/**
 * The engines that conformance vectors run on inside Node, and how to start each.
 *
 * In CI an engine that does not start is a failure; elsewhere it is a skip whose reason is counted.
 */
import * as isopy from "isopy";
import { type Facade, makeRunner } from "../conformance/make-runner.ts";
import type { EngineName, Runner } from "../conformance/runner.ts";
import { testPython } from "./python.ts";

export const inCI = Boolean(process.env["CI"]);

type NodeEngine = Exclude<EngineName, "browser">;
type Open = Omit<Facade, "engine" | "py">;

async function open(engine: NodeEngine): Promise<Open> {
  if (engine === "native-sync") {
    const sync = await import("isopy/sync");
    return {
      api: { ...isopy, ...sync },
      promises: false,
      start: async (options) => sync.createPythonSync({ ...testPython(), ...options }),
    };
  }
  if (engine === "native-isolated") {
    return {
      api: isopy,
      promises: true,
      async start(options) {
        const parent = await isopy.createPython({ backend: "native", ...testPython(), ...options });
        const isolated = await parent.context({ isolation: "interpreter" });
        const own = isolated.close.bind(isolated);
        isolated.close = () => {
          isolated.close = own; // which the parent calls
          return parent.close(); // with everything that it made
        };
        return isolated;
      },
    };
  }
  const how = engine === "wasm-node" ? ({ backend: "wasm" } as const) : ({ backend: "native", ...testPython() } as const);
  return { api: isopy, promises: true, start: (options) => isopy.createPython({ ...how, ...options }) };
}

/**
 * Starts an engine.
 *
 * @returns a runner, or why there is none here
 * @throws what the start failed with, in CI or when it is no `ERR_BACKEND_UNAVAILABLE`
 */
export async function startEngine(engine: NodeEngine): Promise<Runner | { readonly absent: string }> {
  const facade = await open(engine);
  let py: Awaited<ReturnType<Facade["start"]>>;
  try {
    py = await facade.start({});
  } catch (error) {
    if (inCI || !(error instanceof isopy.EngineError) || error.code !== "ERR_BACKEND_UNAVAILABLE") throw error;
    return { absent: `${engine} does not start here: ${error.message.split("\n")[0]}` };
  }
  return makeRunner({ ...facade, engine, py });
}
