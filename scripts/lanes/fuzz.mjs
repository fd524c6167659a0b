/**
 * libFuzzer, with AddressSanitizer, on what reads bytes in C++ (`native/fuzz`). Begins with streams that CPython itself
 * wrote; keeps what it finds interesting in `.cache/lanes/fuzz`.
 */
import fs from "node:fs";
import path from "node:path";
import { fail, pass, skip } from "../checks/tally.mjs";
import { commandOf } from "../setup/debian.mjs";
import { exec, tail } from "../setup/exec.mjs";
import { inCache, inRoot } from "../setup/paths.mjs";
import { defaultPython } from "../setup/pythons.mjs";

const SOURCES = ["fuzz/streams.cc", "stream_reader.cc", "stream_writer.cc", "python_api.cc"];

const SEEDS = `
import pickle, sys, os
values = [None, True, 0, -1, 255, 65536, 2**31, 2**63, -2**63, 1.5, float("nan"), "", "text", "é👍", "a" * 300, b"", b"x" * 300,
          bytearray(b"y"), [], [1, 2], (), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), {}, {"a": 1, "b": [2, {"c": None}]}, {1: 2, (1, 2): 3},
          set(), {1, "a"}, frozenset([1]), [[[[[]]]]], [1.5] * 20, [{"k": n} for n in range(5)], [(7, 0, (1, "a"), (0, 5, "x"))]]
same = [1]
values += [[same, same], {"a": same, "b": (same,)}]
for number, value in enumerate(values):
    for kind in (0, 1):
        with open(os.path.join(sys.argv[1], f"seed-{number}-{kind}"), "wb") as file:
            file.write(bytes([kind]) + pickle.dumps(value, 5))
`;

/** @param {number} seconds */
export async function fuzz(seconds) {
  const title = "fuzzing streams and batches";
  const clang = await commandOf(["clang++-14", "clang++"], ["clang-14", "libclang-rt-14-dev"]);
  if (clang === undefined) return skip(title, "no clang with libFuzzer (Debian: clang-14 and libclang-rt-14-dev)");
  const python = defaultPython();
  if (python === undefined) return skip(title, "no Python on PATH");
  const ask = "import sysconfig as s, os; print(os.path.join(s.get_config_var('LIBDIR'), s.get_config_var('INSTSONAME') or ''))";
  const library = (await exec(python.executable, ["-I", "-c", ask])).stdout.trim();
  const folder = inCache("lanes", "fuzz");
  const corpus = path.join(folder, "corpus");
  fs.mkdirSync(corpus, { recursive: true });
  const program = path.join(folder, "streams");
  const flags = ["-std=c++17", "-g", "-O1", "-fsanitize=fuzzer,address,undefined", "-fno-sanitize=vptr", "-fno-exceptions", "-fno-rtti"];
  const headers = `-I${inRoot("node_modules/node-api-headers/include")}`;
  const built = await exec(clang, [
    ...flags,
    headers,
    "-DNAPI_VERSION=9",
    ...SOURCES.map((file) => inRoot("native", file)),
    "-o",
    program,
    "-ldl",
  ]);
  if (built.code !== 0) return fail(title, `it does not build:\n${tail(built, 20)}`);
  const seeded = await exec(python.executable, ["-I", "-c", SEEDS, corpus]);
  if (seeded.code !== 0) return fail(title, tail(seeded));
  const env = { ISOPY_FUZZ_LIBRARY: library, PYTHONHOME: python.prefix, ASAN_OPTIONS: "detect_leaks=0:allocator_may_return_null=1" };
  const args = [
    corpus,
    `-max_total_time=${seconds}`,
    "-max_len=4096",
    "-timeout=20",
    "-rss_limit_mb=4096",
    `-artifact_prefix=${folder}${path.sep}`,
  ];
  const outcome = await exec(program, args, { env, timeout: (seconds + 120) * 1000 });
  const runs = /Done (\d+) runs/.exec(outcome.output)?.[1];
  if (outcome.code !== 0 || runs === undefined) return fail(title, tail(outcome, 40));
  const coverage = [...outcome.output.matchAll(/cov: (\d+)/g)].at(-1)?.[1];
  console.log(`    ${title}: ${Number(runs).toLocaleString("en-US")} inputs in ${seconds} s, ${coverage} edges reached`);
  return pass(title);
}
