/**
 * The peers of the native bench, in `.cache/bench`: installed from `bench/native/peers/package.json`, built from their sources
 * against the default Python. Nothing prebuilt is downloaded.
 */
import fs from "node:fs";
import path from "node:path";
import { exec, npm, tail, which } from "../setup/exec.mjs";
import { inCache, inRoot } from "../setup/paths.mjs";
import { hashOf, isFresh, setFresh } from "../setup/stamp.mjs";
import { done, missing, ready } from "../setup/step.mjs";

const folder = inCache("bench", "peers");

/** Where Node's own headers lie beside this Node, so that node-gyp need not fetch them. */
function nodeHeaders() {
  const prefix = path.resolve(fs.realpathSync(process.execPath), "../..");
  return fs.existsSync(path.join(prefix, "include/node/node_api.h")) ? { npm_config_nodedir: prefix } : {};
}

/** @param {import("../setup/pythons.mjs").FoundPython} python */
const buildEnvironment = (python) => {
  const bin = path.dirname(python.executable);
  const lib = path.join(python.prefix, "lib");
  return {
    ...nodeHeaders(),
    PATH: `${bin}${path.delimiter}${process.env.PATH}`,
    PKG_CONFIG_PATH: path.join(lib, "pkgconfig"),
    LDFLAGS: `-Wl,-rpath,${lib}`,
  };
};

/**
 * node-calls-python and pymport. The value is the folder, or the step says what is missing.
 *
 * @param {import("../setup/pythons.mjs").FoundPython} python
 */
export async function peers(python) {
  const hash = `${hashOf(["bench/native/peers/package.json"])} ${python.executable} ${python.version} ${process.version}`;
  if (isFresh("bench-peers", hash) && fs.existsSync(path.join(folder, "node_modules"))) return ready("node-calls-python, pymport", folder);
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
  fs.copyFileSync(inRoot("bench/native/peers/package.json"), path.join(folder, "package.json"));
  const env = buildEnvironment(python);
  const installed = await npm(["install", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: folder, env, timeout: 300_000 });
  if (installed.code !== 0) return missing(`the peers could not be installed: ${tail(installed, 2)}`);
  const problems = [];
  const builds = {
    "node-calls-python": () => npm(["rebuild", "node-calls-python"], { cwd: folder, env, timeout: 300_000 }),
    pymport: () => {
      const tool = path.join(folder, "node_modules/@mapbox/node-pre-gyp/bin/node-pre-gyp");
      const args = [tool, "configure", "build", "--build-from-source"];
      if (env.npm_config_nodedir) args.push(`--nodedir=${env.npm_config_nodedir}`);
      return exec(process.execPath, args, { cwd: path.join(folder, "node_modules/pymport"), env, timeout: 300_000 });
    },
  };
  for (const [name, build] of Object.entries(builds)) {
    const built = await build();
    const works = built.code === 0 ? await exec(process.execPath, ["-e", `require("${name}")`], { cwd: folder }) : built;
    if (works.code !== 0) problems.push(`${name}: ${tail(works, 2)}`);
  }
  if (problems.length === Object.keys(builds).length) return missing(`no peer could be built: ${problems.join("; ")}`);
  setFresh("bench-peers", hash);
  return done(problems.length === 0 ? "built node-calls-python, pymport" : `built one; ${problems.join("; ")}`, folder);
}

/**
 * `bench/native/floor.cc` as an addon.
 *
 * @param {import("../setup/pythons.mjs").FoundPython} python
 */
export async function floor(python) {
  const target = inCache("bench", "floor.node");
  const hash = `${hashOf(["bench/native/floor.cc"])} ${python.executable} ${python.version}`;
  if (isFresh("bench-floor", hash) && fs.existsSync(target)) return ready("the floor addon", target);
  const compiler = which(process.env.CXX, "c++", "g++", "clang++");
  if (compiler === undefined) return missing("no C++ compiler, so no floor");
  const ask =
    "import sysconfig as s; print(s.get_paths()['include']); print(s.get_config_var('LIBDIR')); print(s.get_config_var('LDVERSION'))";
  const [include, lib, version] = (await exec(python.executable, ["-I", "-c", ask])).stdout.trim().split("\n");
  fs.mkdirSync(path.dirname(target), { recursive: true });
  const flags = [
    "-std=c++17",
    "-O2",
    "-fPIC",
    "-shared",
    "-DNAPI_VERSION=9",
    `-I${include}`,
    `-I${inRoot("node_modules/node-api-headers/include")}`,
  ];
  const link = [`-L${lib}`, `-lpython${version}`, `-Wl,-rpath,${lib}`];
  const built = await exec(compiler, [...flags, inRoot("bench/native/floor.cc"), "-o", target, ...link], { timeout: 120_000 });
  if (built.code !== 0) return missing(`the floor could not be built: ${tail(built, 3)}`);
  setFresh("bench-floor", hash);
  return done("built the floor addon", target);
}
