/**
 * Builds the native addon with the C++ compiler that is there: no node-gyp, no download, no Python.h.
 *
 *   node scripts/build-addon.mjs [--force] [--debug] [--sanitize=address,undefined|thread --out=FILE]
 *
 * Writes `build/isopy-<platform>-<arch>.node` and a copy in `dist/native/`, where the package looks first.
 * Skipped when sources, flags and compiler are those of the last build. The headers of Node-API come
 * from the package `node-api-headers`; the binary is good for every Node >= 20 and every CPython >= 3.9.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const option = (key) => process.argv.find((arg) => arg.startsWith(`--${key}=`))?.slice(key.length + 3);
const sanitize = option("sanitize");
const debug = sanitize !== undefined || process.argv.includes("--debug");
const name = `isopy-${process.platform}-${process.arch}.node`;
/** With `--out` the package keeps its own binary: a build for a sanitizer is not for use. */
const target = option("out") === undefined ? path.join(root, "build", name) : path.resolve(option("out"));
const shipped = option("out") === undefined ? path.join(root, "dist", "native", name) : undefined;

class BuildError extends Error {}

function findCompiler() {
  const wanted = [process.env.CXX, "c++", "g++", "clang++"].filter((one) => one);
  for (const candidate of wanted) {
    const [command, ...extra] = candidate.trim().split(/\s+/);
    const { status, stdout } = spawnSync(command, [...extra, "--version"], { encoding: "utf8" });
    if (status === 0) return { command, extra, version: stdout.split("\n")[0] };
  }
  throw new BuildError(
    `No C++ compiler: tried ${wanted.join(", ")}.\n` +
      "  Debian, Ubuntu: apt install g++. Fedora: dnf install gcc-c++. macOS: xcode-select --install. Or set CXX.",
  );
}

function findHeaders() {
  // In a clone they are below the root, beside an installed package they are in a folder above it.
  for (let above = root; ; above = path.dirname(above)) {
    const folder = path.join(above, "node_modules", "node-api-headers", "include");
    if (fs.existsSync(path.join(folder, "node_api.h"))) return folder;
    if (above === path.dirname(above)) break;
  }
  throw new BuildError("The headers of Node-API are missing (package node-api-headers).\n  Run: npm install --save-dev node-api-headers");
}

function flags() {
  const darwin = process.platform === "darwin";
  return [
    "-std=c++17",
    ...(debug ? ["-O1", "-g", "-fno-omit-frame-pointer"] : ["-O2"]),
    ...(sanitize === undefined ? [] : [`-fsanitize=${sanitize}`, ...(sanitize.includes("undefined") ? ["-fno-sanitize=vptr"] : [])]),
    "-fPIC",
    "-shared",
    "-fvisibility=hidden",
    "-fno-exceptions",
    "-fno-rtti",
    "-DNAPI_VERSION=8",
    "-Wall",
    "-Wextra",
    ...(darwin ? ["-undefined", "dynamic_lookup"] : ["-static-libstdc++", "-static-libgcc", "-Wl,--gc-sections", "-ffunction-sections"]),
    ...(darwin || debug ? [] : ["-s"]),
    ...(darwin ? [] : ["-pthread", "-ldl"]),
  ];
}

function sources() {
  const folder = path.join(root, "native");
  return fs
    .readdirSync(folder)
    .filter((file) => /\.(cc|h)$/.test(file))
    .sort()
    .map((file) => path.join(folder, file));
}

/** What the result depends on, as one word. */
function fingerprint(compiler, files, options) {
  const hash = createHash("sha256");
  for (const part of [compiler.command, compiler.version, ...compiler.extra, ...options]) hash.update(`${part}\0`);
  for (const file of files) hash.update(path.basename(file)).update(fs.readFileSync(file));
  return hash.digest("hex");
}

/** Compiles each file apart, as many at once as there are cores, then links. */
async function compile(compiler, headers, files, options) {
  if (process.platform === "win32")
    throw new BuildError("The native engine is not built on Windows yet; the WebAssembly engine works there.");
  const objects = path.join(path.dirname(target), "obj");
  fs.rmSync(objects, { recursive: true, force: true });
  fs.mkdirSync(objects, { recursive: true });
  const linking = /^(-shared|-static-|-Wl,|-s$|-undefined|dynamic_lookup|-ldl)/;
  const compiling = options.filter((flag) => !linking.test(flag));
  const units = files.filter((file) => file.endsWith(".cc"));
  const outputs = units.map((file) => path.join(objects, `${path.basename(file, ".cc")}.o`));
  const jobs = units.map((file, i) => [...compiler.extra, ...compiling, "-I", headers, "-c", file, "-o", outputs[i]]);
  const { spawn } = await import("node:child_process");
  const run = (args) =>
    new Promise((resolve, reject) => {
      const child = spawn(compiler.command, args, { stdio: "inherit" });
      child.on("error", reject);
      child.on("exit", (code) =>
        code === 0 ? resolve() : reject(new BuildError(`The compiler failed: ${compiler.command} ${args.join(" ")}`)),
      );
    });
  const workers = Array.from({ length: os.availableParallelism() }, async () => {
    for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) await run(job);
  });
  await Promise.all(workers);
  const fresh = `${target}.${process.pid}`;
  await run([
    ...compiler.extra,
    ...options.filter((flag) => flag !== "-ldl"),
    ...outputs,
    "-o",
    fresh,
    ...options.filter((flag) => flag === "-ldl"),
  ]);
  fs.renameSync(fresh, target); // never a half-written file under the final name, and a loaded one stays intact
  fs.rmSync(objects, { recursive: true, force: true });
}

function ship() {
  if (shipped === undefined) return;
  fs.mkdirSync(path.dirname(shipped), { recursive: true });
  const fresh = `${shipped}.${process.pid}`;
  fs.copyFileSync(target, fresh);
  fs.renameSync(fresh, shipped);
}

try {
  const compiler = findCompiler();
  const headers = findHeaders();
  const files = sources();
  const options = flags();
  const mark = `${target}.sha256`;
  const print = fingerprint(compiler, files, options);
  const current = fs.existsSync(target) && fs.existsSync(mark) && fs.readFileSync(mark, "utf8") === print;
  if (current && !process.argv.includes("--force")) {
    if (shipped !== undefined && (!fs.existsSync(shipped) || fs.statSync(shipped).mtimeMs < fs.statSync(target).mtimeMs)) ship();
    console.log(`The addon is up to date: ${path.relative(root, target)}`);
  } else {
    await compile(compiler, headers, files, options);
    fs.writeFileSync(mark, print);
    ship();
    console.log(`Built ${path.relative(root, target)} (${Math.round(fs.statSync(target).size / 1024)} kB) with ${compiler.version}`);
  }
} catch (error) {
  if (!(error instanceof BuildError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
