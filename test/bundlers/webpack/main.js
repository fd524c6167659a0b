import * as isopy from "isopy";
import { report } from "../report.js";

await report(isopy);
