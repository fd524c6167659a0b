/** What a Pyodide engine is, from what it says and what its platform can do. */
import type { Capabilities, EngineInfo } from "../../core/backend.ts";
import { readHello } from "../../core/transport.ts";

/** @param can what the platform adds: shared memory, or not */
export function engineInfo(hello: Uint8Array, can: Pick<Capabilities, "syncCallbacks" | "interrupt">): EngineInfo {
  const { protocol, python, implementation, platform, prefix, path } = readHello(hello);
  return {
    backend: "wasm",
    protocol,
    python,
    implementation,
    platform,
    executable: null, // there is no file that one could run
    prefix,
    path,
    capabilities: { ...can, sync: false, threads: false, sharedMemory: false, processes: false, hostFiles: false },
  };
}
