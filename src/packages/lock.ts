/** Locks: read with suspicion, because they say what is run. */
import { EngineError } from "../core/errors.ts";
import type { Lock, LockedPackage } from "../core/packages.ts";

/** The lock's name in a folder of wheels. */
export const LOCK_FILE = "isopy-lock.json";

/**
 * @param where it comes from, for messages
 * @throws {EngineError} `ERR_OPTION` for what is no lock
 */
export function readLock(value: unknown, where: string): Lock {
  const lock = value as Partial<Lock> | null;
  if (typeof lock !== "object" || lock === null || lock.isopyLock !== 1 || !Array.isArray(lock.packages)) {
    throw new EngineError("ERR_OPTION", `${where} is no lock of isopy.`, "py.packages.lock() and vendor() of isopy/packages make one.");
  }
  for (const [index, entry] of lock.packages.entries()) {
    const wrong = wrongIn(entry);
    if (wrong !== undefined) throw new EngineError("ERR_OPTION", `${where}: packages[${index}] has no ${wrong}.`);
  }
  return lock as Lock;
}

/** What an entry lacks; a file's name with a separator would lead out of its folder. */
function wrongIn(entry: Partial<LockedPackage> | null): string | undefined {
  if (typeof entry !== "object" || entry === null) return "name";
  const { name, version, file, sha256, url = null } = entry;
  if (typeof name !== "string" || name === "") return "name";
  if (typeof version !== "string" || version === "") return "version";
  if (typeof file !== "string" || !/^[^/\\:]+\.whl$/.test(file)) return "wheel as its file";
  if (typeof sha256 !== "string" || !/^[0-9a-f]{64}$/.test(sha256)) return "SHA-256";
  if (url !== null && typeof url !== "string") return "URL";
  return undefined;
}

/** A project's name as the index spells it (PEP 503). */
export const canonical = (name: string): string => name.replace(/[-_.]+/g, "-").toLowerCase();
