/** Step: the other supported Node versions, from npm, for the smoke test with the same binary. */
import fs from "node:fs";
import { answers, npm, tail } from "./exec.mjs";
import { inCache } from "./paths.mjs";
import { done, missing, ready } from "./step.mjs";

export const NODE_VERSIONS = [22, 24, 26];
const PACKAGE = `node-${process.platform === "win32" ? "win" : process.platform}-${process.arch}`;

export const nodeFile = (version) =>
  inCache(`node-${version}`, "node_modules", PACKAGE, "bin", process.platform === "win32" ? "node.exe" : "node");

/** The versions that are installed and start. */
export const installedNodes = () => NODE_VERSIONS.filter((version) => fs.existsSync(nodeFile(version)));

export async function nodes() {
  const wanted = NODE_VERSIONS.filter((version) => !fs.existsSync(nodeFile(version)));
  if (wanted.length === 0) return ready(`Node ${NODE_VERSIONS.join(", ")}`);
  const failed = [];
  for (const version of wanted) {
    const folder = inCache(`node-${version}`);
    fs.mkdirSync(folder, { recursive: true });
    fs.writeFileSync(`${folder}/package.json`, JSON.stringify({ private: true }));
    const outcome = await npm(
      ["install", "--no-audit", "--no-fund", "--no-save", "--ignore-scripts", "--prefix", folder, `${PACKAGE}@${version}`],
      {
        timeout: 300_000,
        cwd: folder,
      },
    );
    if (outcome.code !== 0 || !answers(nodeFile(version))) {
      fs.rmSync(folder, { recursive: true, force: true });
      failed.push(`${version} (${tail(outcome, 1)})`);
    }
  }
  if (failed.length > 0) return missing(`no smoke test on Node ${failed.join(", ")}`);
  return done(`installed Node ${wanted.join(", ")}`);
}
