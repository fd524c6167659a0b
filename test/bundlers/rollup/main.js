import * as isopy from "isopy";
import { report } from "../report.js";

await report(isopy, { assets: { worker: new URL("./isopy/wasm.web.worker.js", import.meta.url) } });
