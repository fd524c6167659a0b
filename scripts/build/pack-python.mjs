/**
 * Makes `python_stdlib.zip`: Python's library and `_isopy`, compiled.
 *
 * Pyodide ships sources and compiles them at every start, which is most of its start-up time. This
 * runs the very same Pyodide once, at build time, and keeps the result by the hash of what went in.
 * Nothing is left out: docstrings and data files stay, only the text of the sources goes.
 *
 * Prints two lines: the path of the archive, and the id of the build that is also inside it
 * (`_isopy/BUILD`), which the worker compares with the id that it was built with.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const pyodideFolder = dirname(createRequire(import.meta.url).resolve("pyodide/package.json"));
const cache = join(root, ".cache");

const pack = `
import io, zipfile
from importlib._bootstrap_external import _code_to_timestamp_pyc

def add(archive, files):
    """Writes files, and sources as .pyc files."""
    for name, data in sorted(files.items()):
        if name.endswith(".py"):
            code = compile(data, f"/lib/python314.zip/{name}", "exec", dont_inherit=True, optimize=0)
            name, data = name + "c", bytes(_code_to_timestamp_pyc(code, 0, 0))
        archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED, 9)

def compiled(library):
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(library)) as old, zipfile.ZipFile(out, "w") as new:
        add(new, {name: old.read(name) for name in old.namelist() if not name.endswith("/")})
    return out.getvalue()

def completed(archive, files):
    out = io.BytesIO(archive)
    with zipfile.ZipFile(out, "a") as new:
        add(new, files)
    return out.getvalue()
`;

/** Our own Python: the package, and the module that joins it to a worker. */
async function ownSources() {
  const files = {};
  const folder = join(root, "python");
  for (const name of (await readdir(join(folder, "_isopy"), { recursive: true })).sort()) {
    if (name.endsWith(".py"))
      files[relative(folder, join(folder, "_isopy", name)).replaceAll("\\", "/")] = await readFile(join(folder, "_isopy", name));
  }
  files["_isopy/worker_host.py"] = await readFile(join(root, "src/backends/wasm/engine/host.py"));
  return files;
}

function digest(parts) {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part).update("\0");
  return hash.digest("hex").slice(0, 16);
}

/** @returns the hash of our own sources: what the worker compares with what it finds in the archive */
async function buildId() {
  return digest(Object.entries(await ownSources()).flat());
}

/** @returns the path of the archive in the cache */
async function packPython() {
  await mkdir(cache, { recursive: true });
  const library = await readFile(join(pyodideFolder, "python_stdlib.zip"));
  const self = await readFile(fileURLToPath(import.meta.url));
  const compiled = join(cache, `stdlib-${digest([library, self])}.zip`);
  if (!existsSync(compiled)) await keep(compiled, await run("compiled(archive)", library));
  const own = { ...(await ownSources()), "_isopy/BUILD": new TextEncoder().encode(await buildId()) };
  const complete = join(cache, `python-${digest([library, self, ...Object.entries(own).flat()])}.zip`);
  if (!existsSync(complete)) await keep(complete, await run("completed(archive, files)", await readFile(compiled), own, compiled));
  await forgetOld([compiled, complete]);
  return complete;
}

async function run(expression, archive, files = {}, stdLibURL = join(pyodideFolder, "python_stdlib.zip")) {
  const { loadPyodide } = await import("pyodide");
  const python = await loadPyodide({ indexURL: pyodideFolder, stdLibURL, packageBaseUrl: pyodideFolder });
  python.runPython(pack);
  // Pyodide knows no Buffer.
  const plain = (data) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  python.globals.set("given", python.toPy(Object.fromEntries(Object.entries(files).map(([name, data]) => [name, plain(data)]))));
  python.globals.set("archive", python.toPy(plain(archive)));
  return python.runPython(`
from pyodide.ffi import to_js
archive, files = bytes(archive), {name: bytes(data) for name, data in given.items()}
to_js(${expression})`);
}

/** Archives of earlier sources; a young one may be in use by a build that runs beside this one. */
async function forgetOld(current) {
  const old = Date.now() - 10 * 60_000;
  for (const name of await readdir(cache)) {
    const path = join(cache, name);
    if (/^(python|stdlib)-\w+\.zip/.test(name) && !current.includes(path) && (await stat(path)).mtimeMs < old)
      await rm(path, { force: true });
  }
}

/** Two builds at once must not see half a file. */
async function keep(path, bytes) {
  const part = `${path}.${process.pid}`;
  await writeFile(part, bytes);
  await rename(part, path);
}

process.stdout.write(`${await packPython()}\n${await buildId()}\n`);
