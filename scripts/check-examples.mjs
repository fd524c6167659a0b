/**
 * Check: every example of the docs that is marked to run type-checks, runs on every engine, and prints
 * what its comments say.
 */
import fs from "node:fs";
import path from "node:path";
import { onEngine, runnableBlocks } from "./checks/code-blocks.mjs";
import { compile } from "./checks/script.mjs";
import { fail, main, merge, pass, skip } from "./checks/tally.mjs";
import { addonFile } from "./setup/addon.mjs";
import { bin } from "./setup/build.mjs";
import { exec, tail } from "./setup/exec.mjs";
import { inCache, inRoot } from "./setup/paths.mjs";

function pages() {
  const guide = inRoot("docs/guide");
  const names = fs.existsSync(guide) ? fs.readdirSync(guide).filter((name) => name.endsWith(".md")) : [];
  return ["README.md", ...names.map((name) => `docs/guide/${name}`)];
}

export async function checkExamples() {
  const folder = inCache("examples");
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
  // Examples run in a folder that has ./wheels, as `vendor` makes it.
  if (fs.existsSync(inCache("wheels"))) fs.cpSync(inCache("wheels"), path.join(folder, "wheels"), { recursive: true });
  const blocks = pages().flatMap((page) => runnableBlocks(page, fs.readFileSync(inRoot(page), "utf8")));
  if (blocks.length === 0) return fail("docs examples", "no page holds an example that is marked to run");
  const runs = blocks.flatMap((block, index) =>
    (block.engines ?? ["native", "wasm"]).map((engine) => {
      const file = path.join(folder, `${String(index).padStart(2, "0")}-${engine}.ts`);
      fs.writeFileSync(file, `${onEngine(block.code, engine)}\nexport {};\n`);
      return { block, engine, file, name: `${block.page}:${block.line} on ${engine}` };
    }),
  );
  const found = [await checkTypes(folder)];
  for (const { block, engine, file, name } of runs) {
    if (engine === "native" && addonFile() === undefined) {
      found.push(skip(name, "there is no addon"));
      continue;
    }
    found.push(await checkOne(name, block, file, folder));
  }
  return merge("docs examples", found);
}

async function checkTypes(folder) {
  const config = {
    extends: path.relative(folder, inRoot("tsconfig.json")),
    compilerOptions: { noUnusedLocals: false },
    include: ["*.ts"],
  };
  fs.writeFileSync(path.join(folder, "tsconfig.json"), JSON.stringify(config));
  const outcome = await exec(bin("tsc"), ["-p", folder]);
  return outcome.code === 0 ? pass("types of the examples") : fail("types of the examples", tail(outcome, 30));
}

async function checkOne(name, block, file, folder) {
  const outcome = await exec(process.execPath, [await compile(file, path.join(folder, "run"))], { timeout: 60_000, cwd: folder });
  if (outcome.code !== 0) return fail(name, `exit ${outcome.code ?? outcome.signal}\n${tail(outcome, 20)}`);
  const printed = outcome.stdout.trim() === "" ? [] : outcome.stdout.trim().split("\n");
  const expected = block.expected;
  if (expected.length > 0 && printed.join("\n") !== expected.join("\n")) {
    return fail(name, `printed:\n${printed.join("\n")}\nthe page says:\n${expected.join("\n")}`);
  }
  return pass(name);
}

await main(import.meta, checkExamples);
