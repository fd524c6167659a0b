/**
 * Where things are: the repository and the folders that set-up writes.
 *
 * Invariant: set-up writes only to `node_modules`, `dist`, `build` and `.cache`, all ignored by git.
 */
import path from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
export const CACHE = path.join(ROOT, ".cache");
export const CI = process.env.CI === "true" || process.env.CI === "1";

export const inRoot = (...parts) => path.join(ROOT, ...parts);
export const inCache = (...parts) => path.join(CACHE, ...parts);
