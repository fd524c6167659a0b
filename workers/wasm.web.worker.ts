/** Entry of the Web Worker that runs Pyodide in browsers. */
import { serveEngine } from "../src/worker.ts";

serveEngine();
