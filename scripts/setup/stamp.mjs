/**
 * Is a product up to date? A stamp keeps the hash of what it was made from.
 *
 * Content, not times: a fresh clone, a copied tree and a touched file all give the right answer.
 */
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { CACHE, inCache, ROOT } from "./paths.mjs";

/**
 * Hashes files and folders (recursively, in name order), with their relative names.
 *
 * @param {readonly string[]} entries  Relative to the repository; those that do not exist count as such.
 * @param {(file: string) => boolean} [wanted]
 */
export function hashOf(entries, wanted = () => true) {
  const hash = createHash("sha256");
  for (const entry of entries) add(path.join(ROOT, entry));
  return hash.digest("hex");

  function add(file) {
    const stat = fs.statSync(file, { throwIfNoEntry: false });
    const name = path.relative(ROOT, file);
    if (stat === undefined) {
      hash.update(`absent ${name}\n`);
    } else if (stat.isDirectory()) {
      if (["node_modules", "__pycache__", ".git"].includes(path.basename(file))) return;
      for (const child of fs.readdirSync(file).sort()) add(path.join(file, child));
    } else if (wanted(name)) {
      hash.update(`${name} ${stat.size}\n`);
      hash.update(fs.readFileSync(file));
    }
  }
}

const stampFile = (name) => inCache("stamps", name);

/** True when the product `name` was made from exactly this. */
export function isFresh(name, hash) {
  const file = stampFile(name);
  return fs.existsSync(file) && fs.readFileSync(file, "utf8") === hash;
}

export function setFresh(name, hash) {
  fs.mkdirSync(path.join(CACHE, "stamps"), { recursive: true });
  fs.writeFileSync(stampFile(name), hash);
}
