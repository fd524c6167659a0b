/** Folders and archives of the host that `paths` names, brought into Python's own file system. */
import { readFileSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { PyodideInterface } from "pyodide";

/**
 * A folder is mounted at the place it has on the host, so what Python writes there is on the host; a file (a wheel, a
 * zip) is copied. What the host does not have, and what Python has at that place already, stays Python's.
 *
 * @returns the paths for `sys.path`, those of the host absolute
 */
export function bringPaths({ FS }: PyodideInterface, paths: readonly string[]): string[] {
  const placed = new Map<string, string>();
  // The outer folder first: an inner one is there with it.
  for (const path of [...paths].sort((a, b) => resolve(a).length - resolve(b).length)) {
    const place = resolve(path);
    const found = path === "" ? undefined : statSync(place, { throwIfNoEntry: false });
    if (found === undefined) continue;
    placed.set(path, place);
    if (FS.analyzePath(place).exists) continue;
    if (found.isDirectory()) {
      FS.mkdirTree(place);
      FS.mount(FS.filesystems.NODEFS, { root: place }, place);
    } else {
      FS.mkdirTree(dirname(place));
      FS.writeFile(place, readFileSync(place));
    }
  }
  return paths.map((path) => placed.get(path) ?? path);
}
