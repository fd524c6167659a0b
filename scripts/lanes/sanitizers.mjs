/**
 * The native suite, and then the stress run, with the addon built for AddressSanitizer and
 * UndefinedBehaviorSanitizer, and for ThreadSanitizer.
 *
 * Stock Node runs them with the sanitizer's runtime preloaded. Leaks of Python objects are invisible to
 * LeakSanitizer (the garbage collector knows them), so leak detection is off; refcount slopes are tests.
 * A file that the time does not reach is said to be skipped.
 */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { fail, merge, pass, skip, tally } from "../checks/tally.mjs";
import { exec, tail, which } from "../setup/exec.mjs";
import { inCache, inRoot } from "../setup/paths.mjs";
import { defaultPython } from "../setup/pythons.mjs";
import { stressRun } from "./stress.mjs";

/** `without`: files that start shells or load pyarrow and polars, which do not run under ThreadSanitizer. */
const LANES = [
  {
    name: "address",
    flag: "address,undefined",
    library: "libasan.so",
    more: "libubsan.so",
    without: [],
    calls: { slice: 10_000, full: 500_000 },
  },
  {
    name: "thread",
    flag: "thread",
    library: "libtsan.so",
    more: undefined,
    without: ["arrow.test.ts", "environment.test.ts", "reliability-environment.test.ts"],
    calls: { slice: 4_000, full: 200_000 },
  },
];

/** The compiler's own copy of a runtime library; undefined where it has none. */
function runtime(library) {
  const compiler = which(process.env.CXX, "g++", "c++");
  if (compiler === undefined) return undefined;
  const { stdout } = spawnSync(compiler, [`-print-file-name=${library}`], { encoding: "utf8" });
  const file = stdout?.trim();
  return file && path.isAbsolute(file) && fs.existsSync(file) ? fs.realpathSync(file) : undefined;
}

const REPORT = /(ERROR: AddressSanitizer|WARNING: ThreadSanitizer|runtime error:)/;

/** Reports that concern us. Node's own threads race in ways that are not ours to judge: a race must pass through the addon. */
const ours = (text) =>
  text
    .split(/^={18,}$/m)
    .filter((block) => REPORT.test(block) && (!block.includes("ThreadSanitizer") || /isopy-[\w-]+\.node|\/native\/\w+\.(cc|h)/.test(block)))
    .join("\n");

/** A short slice begins with what crosses threads and memory. */
const FIRST = ["threads.test.ts", "sync-calls.test.ts", "differential.test.ts", "sync.test.ts", "life.test.ts", "workers.test.ts"];
const rank = (file) => (FIRST.indexOf(file) + FIRST.length + 1) % (FIRST.length + 1);

async function lane({ name, flag, library, more, without, calls }, deadline, size) {
  const title = `sanitizer lane: ${name}`;
  const preload = runtime(library);
  if (process.platform !== "linux" || preload === undefined) return skip(title, `the compiler has no ${library}`);
  const addon = inCache("lanes", name, `isopy-${process.platform}-${process.arch}.node`);
  const built = await exec(process.execPath, [inRoot("scripts/build-addon.mjs"), `--sanitize=${flag}`, `--out=${addon}`]);
  if (built.code !== 0) return fail(title, tail(built, 20));
  const logs = inCache("lanes", name, "report");
  for (const file of fs.readdirSync(path.dirname(logs))) if (file.startsWith("report")) fs.rmSync(path.join(path.dirname(logs), file));
  const common = `log_path=${logs}:exitcode=0:halt_on_error=0:handle_segv=0:allocator_may_return_null=1`;
  const env = {
    ISOPY_PRELOAD: [preload, more && runtime(more)].filter(Boolean).join(":"),
    ASAN_OPTIONS: `detect_leaks=0:${common}`,
    UBSAN_OPTIONS: `print_stacktrace=1:${common}`,
    // A thread of Python's that has ended and that nobody joins is Python's own affair.
    TSAN_OPTIONS: `report_signal_unsafe=0:report_thread_leaks=0:suppressions=${inRoot("scripts/checks/tsan.supp")}:${common}`,
    ISOPY_ADDON: addon,
    ISOPY_DEEPBIND: "0",
    // The real executable: a version manager's shim is a shell script, and the shell does not run under ThreadSanitizer.
    ISOPY_PYTHON: defaultPython()?.executable,
  };
  const files = fs
    .readdirSync(inRoot("test/native"))
    .filter((file) => file.endsWith(".test.ts") && !without.includes(file))
    .sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
  const found = [await stressed(title, calls[size], env, logs)];
  for (const file of files) {
    const left = deadline - Date.now();
    if (left < 15_000) {
      found.push(skip(`${title}, ${file}`, "the time of this slice was over"));
      continue;
    }
    found.push(await oneFile(title, file, env, left, logs));
  }
  return merge(title, found);
}

/** What the sanitizer wrote since the last look. */
function takeReports(logs) {
  const folder = path.dirname(logs);
  const reports = fs.readdirSync(folder).filter((one) => one.startsWith("report"));
  const texts = reports.map((one) => ours(fs.readFileSync(path.join(folder, one), "utf8"))).filter((text) => text !== "");
  for (const one of reports) fs.rmSync(path.join(folder, one));
  return texts.join("\n");
}

async function stressed(title, calls, env, logs) {
  const { ISOPY_PRELOAD, ...rest } = env;
  const found = await stressRun(`${title}, stress`, { calls, env: { ...rest, LD_PRELOAD: ISOPY_PRELOAD } });
  const said = takeReports(logs);
  return said === "" ? found : fail(`${title}, stress`, said.slice(0, 4000));
}

async function oneFile(title, file, env, timeout, logs) {
  const name = `${title}, ${file}`;
  const args = [inRoot("scripts/checks/sanitized-vitest.mjs"), `test/native/${file}`];
  const outcome = await exec(process.execPath, args, { env: { ...env, NO_COLOR: "1" }, timeout });
  const said = takeReports(logs) || ours(outcome.output);
  console.log(`    ${said === "" && outcome.code === 0 ? "ok    " : "FAILED"} ${name}`);
  if (said !== "") return fail(name, said.slice(0, 4000));
  if (outcome.error !== undefined) return skip(name, "the time of this slice was over");
  return outcome.code === 0 ? pass(name) : fail(name, tail(outcome, 30));
}

/**
 * @param {number} minutes
 * @param {"slice" | "full"} size
 */
export async function sanitizers(minutes, size) {
  if (!fs.existsSync(inRoot("test/native"))) return tally("sanitizers");
  const found = [];
  const begin = Date.now();
  for (const [index, one] of LANES.entries()) {
    const share = begin + (minutes * 60_000 * (index + 1)) / LANES.length;
    found.push(await lane(one, share, size));
  }
  return merge("sanitizers", found);
}
