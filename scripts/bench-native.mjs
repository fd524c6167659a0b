/**
 * `npm run bench:native`: isopy's native engine beside node-calls-python, pymport, a bare addon and plain Python.
 *
 *   npm run bench:native [-- --rounds=3] [-- --only=call,dict]
 *
 * Writes bench/RESULTS-native.md (not with --only). Exit code 1 when less than 80 % of the bars are met or a case is
 * slower than its best peer.
 */
import fs from "node:fs";
import os from "node:os";
import { CASES, PYTHON_TS } from "../bench/native/cases.mjs";
import { contest, starts } from "./bench/contest.mjs";
import { floor, peers } from "./bench/peers.mjs";
import { judgeCase, nativePage } from "./checks/native-figures.mjs";
import { compile } from "./checks/script.mjs";
import { addon } from "./setup/addon.mjs";
import { build } from "./setup/build.mjs";
import { dependencies } from "./setup/dependencies.mjs";
import { exec } from "./setup/exec.mjs";
import { inRoot } from "./setup/paths.mjs";
import { allPythons, defaultPython } from "./setup/pythons.mjs";
import { step } from "./setup/step.mjs";
import { venv, venvPython } from "./setup/venv.mjs";

const option = (name) => process.argv.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
const rounds = Number(option("rounds") ?? 3);
const only = option("only");

await step("packages", dependencies);
await step("addon", addon);
await step("build", build);
await step("packages", venv);
const python = defaultPython();
if (python === undefined) throw new Error("There is no Python on PATH, so nothing to measure.");
const folder = await step("peers", () => peers(python));
const bare = await step("floor", () => floor(python));

const functions = inRoot("bench/native/measured.py");
const packages = (await exec(venvPython(), ["-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"])).stdout.trim();
const shared = { ISOPY_BENCH_ONLY: only, PYTHONPATH: packages };
const program = await compile("bench/native/ours.ts");
const node = (...args) => ({ command: process.execPath, args });
const ours = (name, executable, cases) => ({
  name,
  ...node("--expose-gc", program, functions),
  env: { ISOPY_BENCH_ONLY: cases, ISOPY_PYTHON: executable },
});
const mainCases =
  only ??
  CASES.map(({ key }) => key)
    .filter((key) => key !== "parallel")
    .concat("excel")
    .join(",");
const contenders = [
  ours("isopy", venvPython(), mainCases),
  { name: "plain Python", command: python.executable, args: [inRoot("bench/native/peers/plain.py"), inRoot("bench/native")] },
];
if (bare.value) contenders.push({ name: "floor", ...node(inRoot("bench/native/peers/floor.mjs"), bare.value, functions), env: shared });
for (const peer of folder.value ? ["node-calls-python", "pymport"] : []) {
  contenders.push({ name: peer, ...node(inRoot(`bench/native/peers/${peer}.mjs`), folder.value, functions), env: shared });
}
if (only === undefined || only.includes("border")) {
  const border = await compile("bench/native/border.ts");
  contenders.push({ name: "the addon's border", ...node(border, functions), env: { ISOPY_BENCH_ONLY: only, ISOPY_PYTHON: venvPython() } });
}
const newer = allPythons().filter(({ version, shared }) => shared && Number(version.split(".")[1]) >= 12);
const latest = newer.at(-1);
if (latest) contenders.push(ours("isopy, newest Python", latest.executable, only ?? "coroutines,parallel"));
const results = await contest(contenders, rounds, console.log);

const figures = { ...results.isopy.figures, ...results["the addon's border"]?.figures };
if (latest) {
  figures.coroutinesEager = results["isopy, newest Python"].figures.coroutines;
  figures.parallel = results["isopy, newest Python"].figures.parallel;
}
/** @type {Record<string, Record<string, number>>} */
const rivals = Object.fromEntries(["node-calls-python", "pymport"].map((name) => [name, { ...results[name]?.figures }]));
if (only === undefined || only.includes("start")) {
  const file = inRoot("bench/native/first.py");
  const source = {
    isopy: `const { createPythonSync } = await import("isopy/sync"); const p = createPythonSync({ paths: ["${inRoot("bench/native")}"] }); if (p.import("first").add(1, 2) !== 3) throw 1`,
    "node-calls-python": `const { interpreter: p } = require("node-calls-python"); if (p.callSync(p.importSync("${file}"), "add", 1, 2) !== 3) throw 1`,
    pymport: `const { pymport } = require("pymport"); pymport("sys").get("path").get("insert").call(0, "${inRoot("bench/native")}"); if (pymport("first").get("add").call(1, 2).toJS() !== 3) throw 1`,
  };
  const programs = { isopy: { args: ["--input-type=module", "-e", source.isopy], env: { ISOPY_PYTHON: venvPython() } } };
  for (const name of Object.keys(rivals).filter((name) => results[name]))
    programs[name] = { args: ["-e", source[name]], cwd: folder.value };
  const times = await starts(programs);
  figures.start = times.isopy;
  for (const name of Object.keys(rivals)) if (times[name] !== undefined) rivals[name].start = times[name];
}

const wanted = CASES.filter(({ key }) => only === undefined || only.split(",").includes(key));
const lines = wanted.map((one) => {
  const keys = one.peers ?? [one.key];
  const sides = Object.entries(rivals).flatMap(([name, own]) =>
    keys.filter((key) => own[key] !== undefined).map((key) => [name, own[key]]),
  );
  return judgeCase(one, figures[one.key], Object.fromEntries(sides), results.floor?.figures[one.key]);
});
for (const line of PYTHON_TS) {
  const measured = figures[line.from];
  if (measured === undefined) continue;
  const rate = line.from.startsWith("async") ? measured : 1e6 / measured;
  const one = { key: line.key, name: line.name, unit: "a second", more: true, bars: [{ against: "peer", times: line.times }] };
  lines.push(judgeCase(one, rate, { "its README": line.stated }, undefined));
}

const cpu = os.cpus()[0]?.model.trim() ?? "unknown processor";
const machine = `${cpu}, ${os.cpus().length} cores; Node ${process.versions.node}; Python ${python.version}${latest ? `, ${latest.version}` : ""}; ${process.platform} ${process.arch}`;
const plain = results["plain Python"].figures;
const remarks = [
  `Plain Python itself: f(1, 2) ${plain.call?.toFixed(3)} µs, attribute ${plain.attribute?.toFixed(3)} µs, obj.m() ${plain.method?.toFixed(3)} µs.`,
];
for (const [name, { problems }] of Object.entries(results)) {
  for (const [key, problem] of Object.entries(problems)) remarks.push(`${name}, ${key}: ${problem}`);
}
const page = nativePage(machine, lines, remarks);
if (only === undefined) fs.writeFileSync(inRoot("bench/RESULTS-native.md"), page.text);
console.log(`\n${page.table}\n\n${machine}\n${page.summary.join("\n")}`);
process.exitCode = page.accepted ? 0 : 1;
