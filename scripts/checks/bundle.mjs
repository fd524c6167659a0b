/** The files that a built entry reaches by import, and whether each is needed at once. */
import fs from "node:fs";
import path from "node:path";
import { importsOf } from "./imports.mjs";

/**
 * @param {string} entry  Absolute path of a built file.
 * @returns {{ file: string, eager: boolean, by: string | undefined }[]} `eager`: reached by static imports only.
 */
export function bundleGraph(entry) {
  const seen = new Map([[entry, { file: entry, eager: true, by: undefined }]]);
  const queue = [entry];
  for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
    const here = seen.get(file);
    for (const { target, dynamic } of importsOf(file, fs.readFileSync(file, "utf8"))) {
      if (!target.startsWith(".")) continue;
      const next = path.resolve(path.dirname(file), target);
      const eager = here.eager && !dynamic;
      const known = seen.get(next);
      if (known === undefined) seen.set(next, { file: next, eager, by: file });
      else if (eager && !known.eager) known.eager = true;
      else continue;
      queue.push(next);
    }
  }
  return [...seen.values()];
}
