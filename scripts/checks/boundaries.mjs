/**
 * Who may import whom (ARCHITECTURE.md), as a pure decision over `(file, imported thing)`.
 *
 * Paths are relative to the repository with forward slashes. Anything that is not relative is a
 * package, or a `node:` module. Kept apart from reading files so that its test needs none.
 */

const FEATURES_FREE_TO_CHOOSE = ["server", "sandbox"];

/** Files that may use Node's own modules. */
const NODE_FILES = [
  /^src\/backends\/(native|process)\//,
  /^src\/backends\/wasm\/(.*[./-])?node([./-].*)?$/,
  /^src\/environment\/(.*[./-])?(probe|lease|archive|node)([./-].*)?$/,
  /^src\/(server|cli|vite)\//,
  /^src\/(sandbox|packages)\/(.*[./-])?node([./-].*)?$/,
  /^src\/(node|sync|cli|vite)\.ts$/,
  /^workers\/.*node.*$/,
];

/** Packages that may be imported, by where. Everything else would be a new dependency of every user. */
const PACKAGES = [
  { files: /^src\/core\//, packages: ["temporal-polyfill", "temporal-spec"] },
  { files: /^src\/(backends\/wasm|worker\.ts)|^workers\//, packages: ["comlink", "pyodide", "temporal-polyfill"] },
];

const area = (file) => {
  const parts = file.split("/");
  if (parts[0] !== "src") return parts[0];
  if (parts[1] === "backends") return parts.length > 3 ? `backends/${parts[2]}` : "backends";
  return parts.length > 2 ? parts[1] : "entry";
};

/**
 * @param {string} from       The importing file.
 * @param {string} target     A file of the repository, or a package's or `node:` module's name.
 * @param {{ types?: boolean }} [kind]  `types`: only types are imported, nothing is left at run time.
 * @returns {string | undefined} Why it may not be; undefined when it may.
 */
export function forbidden(from, target, kind = {}) {
  const here = area(from);
  const isFile = target.startsWith("src/") || target.startsWith("workers/") || target.includes("/scripts/");
  if (target.startsWith("node:")) {
    if (NODE_FILES.some((pattern) => pattern.test(from))) return undefined;
    return `\`${target}\` may be used by native, process, the probe of environment, server, cli, vite and files named node`;
  }
  if (!isFile) {
    if (target.startsWith("virtual:"))
      return here === "core" ? "core is pure ECMAScript; a virtual module belongs to a backend or a worker" : undefined;
    if (kind.types) return undefined;
    const name = target
      .split("/")
      .slice(0, target.startsWith("@") ? 2 : 1)
      .join("/");
    if (PACKAGES.some(({ files, packages }) => files.test(from) && packages.includes(name))) return undefined;
    return `the package \`${name}\` may not be imported here`;
  }
  const there = area(target);
  if (here === there) return undefined;
  if (target.startsWith("src/cli")) return "nothing imports cli";
  if (there === "workers") return "workers/ holds entry files only; nothing imports them";
  if (here === "core") return "core imports only core";
  if (here === "environment") {
    return target === "src/core/errors.ts" ? undefined : "environment imports nothing but core's errors";
  }
  if (here.startsWith("backends/")) {
    if (there.startsWith("backends/")) return "no backend imports another";
    if (there === "backends") return "a backend does not know who selects it";
    if (there === "core" || there === "environment") return undefined;
    return `a backend imports core and environment, not ${there}`;
  }
  if (here === "backends") {
    return there.startsWith("backends/") || there === "core" || there === "environment"
      ? undefined
      : "select imports backends, core and environment";
  }
  if (here === "workers" || here === "entry") return undefined;
  if (there.startsWith("backends/") && !FEATURES_FREE_TO_CHOOSE.includes(here))
    return `the feature ${here} may not know a concrete backend`;
  return undefined;
}
