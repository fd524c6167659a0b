import * as isopy from "/node_modules/isopy/dist/browser.js";
import { report } from "/report.js";

await report(isopy);
