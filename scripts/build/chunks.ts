/**
 * Few files: each one that Node imports takes 0.4 ms of a start, and left to itself the bundler makes one for every
 * set of entries that shares something (14 for `isopy/sync`).
 */
import { fileURLToPath } from "node:url";

interface Graph {
  getModuleInfo(id: string): { readonly importedIds: readonly string[] } | null;
}

/** A module belongs to the first of these that imports it at once; what none imports stays where the bundler puts it. */
const CHUNKS = [
  ["core", ["src/browser.ts"]], // what every entry needs, the smallest first
  ["engine", ["src/core/start.ts", "src/core/transport.ts"]], // and what every engine needs
] as const;

const inRoot = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** The chunk of a module, by what is reached without `import()`. */
export function chunkOf(module: string, graph: Graph): string | null {
  for (const [name, roots] of CHUNKS) {
    const reached = new Set<string>();
    const visit = (id: string): void => {
      if (reached.has(id)) return;
      reached.add(id);
      for (const next of graph.getModuleInfo(id)?.importedIds ?? []) visit(next);
    };
    for (const root of roots) visit(inRoot(root));
    // An entry is a file of its own.
    if (reached.has(module) && !ENTRIES.has(module)) return name;
  }
  return null;
}

const ENTRIES = new Set(["src/browser.ts", "src/node.ts", "src/sync.ts"].map(inRoot));
