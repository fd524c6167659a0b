/** Step: a Chromium, Chrome or Edge to run the browser tests in. */
import fs from "node:fs";
import path from "node:path";
import { canInstall, installPackage } from "./debian.mjs";
import { which } from "./exec.mjs";
import { done, missing, ready } from "./step.mjs";

const NAMES = [
  "chromium",
  "chromium-browser",
  "google-chrome",
  "google-chrome-stable",
  "chrome",
  "microsoft-edge",
  "microsoft-edge-stable",
  "msedge",
];
const PLACES = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
  ...["ProgramFiles", "ProgramFiles(x86)", "LocalAppData"].flatMap((name) =>
    process.env[name] === undefined
      ? []
      : [
          path.join(process.env[name], "Google/Chrome/Application/chrome.exe"),
          path.join(process.env[name], "Microsoft/Edge/Application/msedge.exe"),
        ],
  ),
];

/** The browser to use: CHROME_PATH, then PATH, then the usual places. */
export function chromiumFile() {
  const chosen = process.env.CHROME_PATH;
  if (chosen !== undefined && chosen !== "") return which(chosen);
  return which(...NAMES) ?? PLACES.find((file) => fs.existsSync(file));
}

export async function chromium() {
  const found = chromiumFile();
  if (found !== undefined) return ready(found, found);
  if (process.env.CHROME_PATH) return missing(`CHROME_PATH is ${process.env.CHROME_PATH}, which cannot be run: no browser tests`);
  if (canInstall()) {
    const why = await installPackage("chromium");
    const installed = chromiumFile();
    if (installed !== undefined) return done("installed Debian's chromium", installed);
    return missing(`Debian's chromium did not install (${why}): no browser tests`);
  }
  return missing("no Chromium, Chrome or Edge: no browser tests. Install one, or set CHROME_PATH to its executable");
}
