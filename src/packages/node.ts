/** Packages in Node: files of the host too. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Engine } from "../core/engine.ts";
import type { Packages } from "../core/packages.ts";
import { WasmPackages } from "./install.ts";
import { type Missed, type Reach, type Received, readHttp } from "./reach.ts";

const reach: Reach = {
  locate(place) {
    if (place instanceof URL) return place;
    // One letter is a drive.
    if (/^[a-z][a-z0-9+.-]+:/i.test(place)) return new URL(place);
    const [, path = place, hash = ""] = /^(.*?)(#sha256=.*)?$/s.exec(place) ?? [];
    const url = pathToFileURL(resolve(systemPath(path)));
    url.hash = hash;
    return url;
  },
  async read(url, how) {
    if (!url.startsWith("file:")) return readHttp(url, how);
    return readLocal(url, how.onBytes);
  },
};

/** A list of wheels that was written on Windows has its separators. */
function systemPath(path: string): string {
  return process.platform === "win32" || existsSync(path) ? path : path.replaceAll("\\", "/");
}

async function readLocal(url: string, onBytes: ((loaded: number, total: number) => void) | undefined): Promise<Received | Missed> {
  try {
    const bytes = new Uint8Array(await readFile(fileURLToPath(url)));
    onBytes?.(bytes.length, bytes.length);
    return { bytes, url };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { cause: code === "ENOENT" ? "not-found" : "failed", message: `${url} cannot be read: ${message}`, url };
  }
}

export const openPackages = (engine: Engine): Packages => new WasmPackages(engine, reach);
