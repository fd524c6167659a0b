/** The vectors on Pyodide in a worker of Node. */
import { runVectorsHere } from "./node-host.ts";

runVectorsHere("wasm-node");
