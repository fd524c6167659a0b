import * as isopy from "isopy";
import { keepOffline } from "isopy/offline";
import { report } from "../report.js";

if (import.meta.env.PROD) await keepOffline(`${import.meta.env.BASE_URL}service-worker.js`);
await report(isopy);
