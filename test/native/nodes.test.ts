/** The same binary on the other supported Nodes; `scripts/setup/nodes.mjs` installs them. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { inNode, root } from "./support.ts";

const program = `
  import { createPython } from "isopy";
  import { python } from "isopy/sync";
  import { Worker } from "node:worker_threads";
  import { once } from "node:events";
  const py = await createPython(native);
  const checks = [
    await py.import("math").sqrt(16),
    await py.eval("2 ** 70"),
    await py.eval("[f(i) for i in range(3)]", { locals: { f: (n) => n * n } }),
    await py.eval("__import__('ssl').OPENSSL_VERSION_INFO[0] > 0"),
    python.import("math").hypot(3, 4),
  ];
  for (let i = 0; i < 5; i++) {
    const worker = new Worker("const { createPython } = await import('isopy'); const py = await createPython(" + JSON.stringify(native) + "); " +
      "(await import('node:worker_threads')).parentPort.postMessage(await py.eval('1')); await py.import('time').sleep(20);",
      { eval: true, execArgv: ["--input-type=module"] });
    checks.push((await once(worker, "message"))[0]);
    await worker.terminate();
  }
  console.log(JSON.stringify(checks, (_k, v) => (typeof v === "bigint" ? String(v) : v)));
  py.import("time").sleep(20).then(() => {}, () => {});
  await py.eval("1");
  process.exit(9);
`;

describe.each([22, 24, 26])("Node %i", (version) => {
  const node = join(root, ".cache", `node-${version}`, "node_modules", `node-${process.platform}-${process.arch}`, "bin", "node");
  it.skipIf(!existsSync(node))("[N-15] [N-78] runs the same binary, workers included, and ends at once", async () => {
    const ended = await inNode(program, { node });
    expect(ended).toMatchObject({ code: 9, signal: null, stderr: "" });
    expect(JSON.parse(ended.stdout)).toEqual([4, String(2n ** 70n), [0, 1, 4], true, 5, 1, 1, 1, 1, 1]);
    expect(ended.took).toBeLessThan(15_000);
  });
});
