/** The bench's page: what the runner calls from outside. */
import { type Remote, wrap } from "comlink";
import * as isopy from "isopy";
import { comlink, compare, interrupts, ours, raw, SETUP } from "./bodies.mjs";
import { rawClient } from "./plain.mjs";

async function startOurs() {
  const py = await isopy.createPython();
  if ((await py.eval("1 + 1")) !== 2) throw new Error("1 + 1");
  return py;
}

async function startPlain() {
  const worker = new Worker("/plain-web.worker.mjs", { type: "module" });
  const channels = { raw: new MessageChannel(), comlink: new MessageChannel() };
  await new Promise<void>((resolve, reject) => {
    worker.onmessage = () => resolve();
    worker.onerror = (event) => reject(new Error(event.message));
    worker.postMessage({ raw: channels.raw.port2, comlink: channels.comlink.port2 }, [channels.raw.port2, channels.comlink.port2]);
  });
  const ask = rawClient(channels.raw.port1);
  await ask("noop");
  return { worker, ask, remote: wrap(channels.comlink.port1) as Remote<unknown> };
}

const bench = {
  /** Milliseconds to the first result of the only engine of this page. */
  async start(which: "isopy" | "plain"): Promise<number> {
    const begin = performance.now();
    await (which === "isopy" ? startOurs() : startPlain());
    return performance.now() - begin;
  },
  async compare(only: readonly string[] | undefined) {
    const py = await startOurs();
    const { ask, remote } = await startPlain();
    await ask("run", SETUP);
    await py.exec(SETUP);
    const figures = await compare({ isopy: ours(py, isopy), "plain messages": raw(ask), Comlink: comlink(remote) }, only);
    Object.assign(figures["isopy"] as object, await interrupts(py, isopy.run));
    return figures;
  },
  /** One start and end of an engine. */
  async restart(): Promise<void> {
    const py = await startOurs();
    await py.close();
  },
};
(globalThis as { bench?: typeof bench }).bench = bench;
