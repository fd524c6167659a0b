/**
 * One Chromium for a whole test run.
 *
 * The browser project's global setup starts it (`startChromium`), test files connect to it
 * (`connectChromium`); a file that runs in another project starts one of its own.
 */
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, chromium } from "playwright-core";
import { inject } from "vitest";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  export interface ProvidedContext {
    /** Where the run's Chromium listens; absent when this project has none. */
    chromium?: string;
  }
}

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge", "msedge"];
const macOS = ["Google Chrome", "Chromium", "Microsoft Edge"].map((name) => `/Applications/${name}.app/Contents/MacOS/${name}`);
const windows = ["ProgramFiles", "ProgramFiles(x86)", "LocalAppData"].flatMap((variable) => {
  const base = process.env[variable];
  return base === undefined
    ? []
    : [join(base, "Google/Chrome/Application/chrome.exe"), join(base, "Microsoft/Edge/Application/msedge.exe")];
});

const args = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** `CHROME_PATH`, then the search path, then the usual places; undefined when there is none. */
export function findChromium(): string | undefined {
  const chosen = process.env["CHROME_PATH"];
  if (chosen) return chosen;
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  return [...names.flatMap((name) => folders.map((folder) => join(folder, name))), ...macOS, ...windows].find((file) => existsSync(file));
}

/** Vitest's `globalSetup` of the browser project. */
export default async function startChromium(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const executablePath = findChromium();
  if (executablePath === undefined) return undefined;
  const server = await chromium.launchServer({ executablePath, args });
  project.provide("chromium", server.wsEndpoint());
  return () => server.close();
}

/** The run's Chromium, or one of this file's own. Close it when the file is done. */
export async function connectChromium(): Promise<Browser> {
  const running = inject("chromium");
  if (running !== undefined) return chromium.connect(running);
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error("No Chromium, Chrome or Edge was found. Install one, or set CHROME_PATH.");
  return chromium.launch({ executablePath, args });
}
