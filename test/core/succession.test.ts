/** Ending an engine that does not stop, and what comes after one that was lost. No Python, no time but the clock's. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { BackendHost, Condemnation, EngineLost, StartOptions } from "../../src/core/backend.ts";
import { optionReader } from "../../src/core/options.ts";
import { createFacade, readCoreOptions } from "../../src/core/start.ts";
import { EngineError, type Loss, type PyRef, type Python, run } from "../../src/index.ts";
import { refTo, ScriptedBackend, turn } from "./scripted/index.ts";

/** An engine that can be ended from outside. */
class Mortal extends ScriptedBackend {
  /** What keeps it busy; 0: nothing. */
  running = 0;
  starts: () => Promise<void> = async () => {};
  readonly condemnation: Condemnation = {
    blocks: (id) => (this.running === 0 ? undefined : this.running === id),
    carryOut: (loss) => this.lose(loss),
  };

  override async start(options: StartOptions, host: BackendHost) {
    this.options = options;
    await this.starts();
    return super.start(options, host);
  }
}

const died: EngineLost = { kind: "exit", reason: "the worker died", exitCode: 3 };

let open: Python | undefined;
afterEach(async () => {
  await open?.close();
  open = undefined;
  vi.useRealTimers();
});

/** A Python whose engines are scripted, in the order in which they were made. */
async function mortalPython(create: object, prepare: (backend: Mortal, index: number) => void = () => {}) {
  const engines: Mortal[] = [];
  const another = () => {
    const backend = new Mortal();
    backend.always = () => [engines.indexOf(backend) + 1];
    prepare(backend, engines.length);
    engines.push(backend);
    return backend;
  };
  const read = optionReader("createPython", create);
  const core = readCoreOptions(read);
  read.done();
  const first = another();
  const py = await createFacade(first, { ...core, another });
  open = py;
  return { py, engines, first };
}

const code = (promise: PromiseLike<unknown>) => promise.then(String, (error: EngineError) => error.code ?? error.name);

describe("an engine that was lost", () => {
  it("is followed by another one when it is called again, and not before", async () => {
    const { py, engines, first } = await mortalPython({ whenLost: "replace" });
    expect(await py.import("m").f()).toBe(1);
    first.lose(died);
    await turn();
    expect(engines.length).toBe(1);
    expect(await Promise.all([py.import("m").f(), py.import("m").g()])).toEqual([2, 2]);
    expect(engines.length).toBe(2);
    expect(engines[1]?.options).toMatchObject({ paths: [], startTimeout: 60_000 });
  });

  it("rejects what is pending once, with its reason, and tells what was lost", async () => {
    const losses: Loss[] = [];
    const { py, first } = await mortalPython({ whenLost: "replace", onLoss: (loss: Loss) => losses.push(loss) });
    first.always = undefined;
    first.answers = [refTo(1), [1, 1]];
    const held = await py.import("m").x;
    await py.session();
    const pending = [code(run(py.import("m").f())), code(run(py.import("m").g()))];
    await turn();
    first.lose(died);
    first.lose(died);
    expect(await Promise.all(pending)).toEqual(["ERR_ENGINE_LOST", "ERR_ENGINE_LOST"]);
    expect(losses).toEqual([
      { generation: 1, error: expect.any(EngineError), replaced: true, programs: 2, refs: 1, callbacks: 0, contexts: 1 },
    ]);
    expect(losses[0]?.error.details).toMatchObject({ kind: "exit", reason: "the worker died", exitCode: 3 });
    expect(String(held)).toContain("lost");
  });

  it("takes its refs, contexts and sessions with it, and says so", async () => {
    const { py, engines, first } = await mortalPython({ whenLost: "replace" });
    first.always = undefined;
    first.answers = [refTo(1, "list"), 1, [2, 2]];
    const held = (await py.import("m").x) as PyRef;
    const context = await py.context();
    const session = await py.session();
    first.lose(died);
    await expect(run(held.append(1))).rejects.toThrow(/<PyRef list #1, lost> is gone: it lived in an engine that was lost/);
    await expect(run(py.builtins.print(held))).rejects.toMatchObject({ code: "ERR_ENGINE_LOST" });
    await expect(run(context.eval("1"))).rejects.toThrow(/Context 1, with its globals, is gone/);
    expect(await code(session.run("1").result)).toBe("ERR_ENGINE_LOST");
    // A context of the new engine may have the same number; the old one is not taken for it.
    const second = engines[1] as Mortal;
    second.answers = [1];
    const again = await py.context();
    expect(await again.eval("1")).toBe(2);
    expect(second.sent.at(-1)?.context).toBe(1);
    expect(await code(run(context.eval("1")))).toBe("ERR_ENGINE_LOST");
    const sent = second.sent.length;
    held[Symbol.dispose]();
    await Promise.all([context.close(), session.close()]); // gone already; another one has that number
    await turn();
    expect(second.released).toEqual([]);
    expect(second.sent.length).toBe(sent);
  });

  it("leaves expressions as they are: what has no effect may be asked for again", async () => {
    const { py, first } = await mortalPython({ whenLost: "replace" });
    first.always = undefined;
    const pi = py.import("math").pi;
    const later = py.eval("1 + 1");
    const asked = code(run(pi));
    await turn();
    first.lose(died);
    expect(await asked).toBe("ERR_ENGINE_LOST");
    expect(await pi).toBe(2);
    expect(await later).toBe(2);
  });

  it("says nothing to the one that follows", async () => {
    const printed: string[] = [];
    const { py, engines, first } = await mortalPython(
      { whenLost: "replace", stdout: (text: string) => printed.push(text) },
      (backend, index) => {
        if (index > 0) backend.always = undefined;
      },
    );
    await py.import("m").f();
    first.lose(died);
    const waiting = code(run(py.import("m").f()));
    await turn();
    first.event("stream", 0, 0, "stdout", "late");
    expect(first.host.settle(2, 0, "late")).toBe(false);
    first.lose(died);
    engines[1]?.reply(2, "right");
    expect(await waiting).toBe("right");
    expect(printed).toEqual([]);
  });

  it("lets what onLoss starts go first, and streams are set up before it", async () => {
    const { py, engines, first } = await mortalPython({
      whenLost: "replace",
      stdin: () => null,
      onLoss: () => void run(py.exec("prepare()")),
    });
    const pending = code(run(py.import("m").f()));
    await pending;
    first.lose(died);
    await py.eval("mine()");
    expect(engines[1]?.sent.map(({ instructions }) => instructions.at(-1)?.[0])).toEqual(["call", "exec", "eval"]);
    expect(engines[1]?.sent[0]?.instructions[1]).toEqual(["get", 0, "use"]);
  });

  it("stays lost where nobody asked for another", async () => {
    const losses: Loss[] = [];
    const { py, engines, first } = await mortalPython({ onLoss: (loss: Loss) => losses.push(loss) });
    first.lose(died);
    expect(await code(run(py.eval("1")))).toBe("ERR_ENGINE_LOST");
    expect([engines.length, losses[0]?.replaced]).toEqual([1, false]);
  });

  it("a close is no loss, also while the next engine starts", async () => {
    const losses: Loss[] = [];
    let reached = (): void => {};
    const starting = new Promise<void>((resolve) => {
      reached = resolve;
    });
    const { py, engines, first } = await mortalPython(
      { whenLost: "replace", onLoss: (loss: Loss) => losses.push(loss) },
      (backend, index) => {
        if (index > 0) {
          backend.starts = () => {
            reached();
            const { signal } = backend.options;
            return new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
          };
        }
      },
    );
    first.lose(died);
    const waiting = code(run(py.eval("1")));
    await starting;
    await py.close();
    expect(await waiting).toBe("ERR_CLOSED");
    expect(await code(run(py.eval("1")))).toBe("ERR_CLOSED");
    expect(engines[1]?.closed).toBe(1);
    expect(losses.length).toBe(1);
  });
});

describe("engines that end one after the other", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  });

  it("follow each other ever more slowly, until one answers", async () => {
    const { py, engines, first } = await mortalPython({ whenLost: "replace" }, (backend, index) => {
      if (index < 5) backend.always = undefined;
    });
    first.lose(died); // it had answered nothing
    const pauses: number[] = [];
    for (let index = 1; index < 5; index++) {
      const waiting = code(run(py.eval("1")));
      let waited = 0;
      for (await turn(); engines.length === index; await turn()) {
        vi.advanceTimersByTime(50);
        waited += 50;
      }
      pauses.push(waited);
      (engines[index] as Mortal).lose(died);
      expect(await waiting).toBe("ERR_ENGINE_LOST");
    }
    expect(pauses).toEqual([0, 100, 200, 400]);
    const last = code(run(py.eval("1")));
    await turn();
    vi.advanceTimersByTime(800);
    expect(await last).toBe("6");
    (engines[5] as Mortal).lose(died);
    const prompt = code(run(py.eval("1")));
    expect(await prompt).toBe("7");
  });

  it("a start that fails rejects who waits; five in a row are the end", async () => {
    const failure = new EngineError("ERR_BACKEND_UNAVAILABLE", "its file is gone");
    const { py, engines, first } = await mortalPython({ whenLost: "replace" }, (backend, index) => {
      if (index > 0) backend.starts = () => Promise.reject(failure);
    });
    await py.eval("1");
    first.lose(died);
    for (let index = 0; index < 5; index++) {
      const waiting = run(py.eval("1")).catch((error: EngineError) => error);
      await turn();
      vi.advanceTimersByTime(5_000);
      const error = (await waiting) as EngineError;
      expect(error).toMatchObject({ code: "ERR_ENGINE_LOST", cause: failure, details: { kind: "start" } });
      expect(error.message).toContain("its file is gone");
    }
    expect(await code(run(py.eval("1")))).toBe("ERR_ENGINE_LOST");
    expect(engines.length).toBe(6);
    expect(engines[5]?.closed).toBe(1);
  });
});

describe("a spare", () => {
  it("is started ahead, takes over at once, and is followed by the next", async () => {
    const { py, engines, first } = await mortalPython({ whenLost: "replace", spare: true });
    expect(await py.eval("1")).toBe(1);
    expect(engines.length).toBe(2);
    first.lose(died);
    expect(await py.eval("1")).toBe(2);
    await turn();
    expect(engines.length).toBe(3);
    await py.close();
    expect(engines.slice(1).map(({ closed }) => closed)).toEqual([1, 1]);
  });

  it("that died while it waited is not taken", async () => {
    const { py, engines, first } = await mortalPython({ whenLost: "replace", spare: true });
    await py.eval("1");
    engines[1]?.lose(died);
    first.lose(died);
    expect(await py.eval("1")).toBe(3);
  });

  it("without a use is refused", async () => {
    await expect(mortalPython({ spare: true })).rejects.toMatchObject({ code: "ERR_OPTION" });
  });
});

describe("an engine that does not stop", () => {
  const condemn = { whenUnresponsive: "condemn", grace: 300 };
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  });
  const deaf = (backend: Mortal) => {
    backend.always = undefined;
  };
  /** Starts a program, aborts it, and gives what its caller got. */
  async function aborted(py: Python): Promise<unknown> {
    const controller = new AbortController();
    const outcome = run(py.exec("while True: pass"), { signal: controller.signal }).catch((reason: unknown) => reason);
    await turn();
    controller.abort("enough");
    return outcome;
  }

  it("is ended when its grace is over", async () => {
    const { py, first } = await mortalPython(condemn, deaf);
    expect(first.options.watched).toBe(true);
    const other = run(py.eval("1")).catch((error: EngineError) => error);
    expect(await aborted(py)).toBe("enough");
    first.running = 2;
    vi.advanceTimersByTime(299);
    await turn();
    expect(first.host.settle(1, 0, "still there")).toBe(true);
    vi.advanceTimersByTime(1);
    expect(await other).toBe("still there");
    expect(await run(py.eval("1")).catch((error: EngineError) => error.details)).toMatchObject({ kind: "unresponsive" });
  });

  it("is ended a second later where nothing seems to run", async () => {
    const { py, first } = await mortalPython(condemn, deaf);
    await aborted(py);
    for (let waited = 0; waited < 1_250; waited += 50) vi.advanceTimersByTime(50);
    first.answers = [1];
    expect(await py.eval("1")).toBe(1);
    for (let waited = 0; waited < 100; waited += 50) vi.advanceTimersByTime(50);
    expect(await code(run(py.eval("1")))).toBe("ERR_ENGINE_LOST");
  });

  it("is kept where nobody asked for its end", async () => {
    const { py, first } = await mortalPython({ whenUnresponsive: "keep" }, deaf);
    await aborted(py);
    vi.advanceTimersByTime(60_000);
    first.answers = [1];
    expect(await py.eval("1")).toBe(1);
  });

  it("is kept when the program stops in time", async () => {
    const { py, first } = await mortalPython(condemn, deaf);
    await aborted(py);
    vi.advanceTimersByTime(250);
    first.reply(1, null);
    vi.advanceTimersByTime(60_000);
    first.answers = [1];
    expect(await py.eval("1")).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("is kept while another program, which somebody wants, is what runs", async () => {
    const { py, first } = await mortalPython(condemn, deaf);
    const wanted = run(py.eval("long()"));
    await turn();
    await aborted(py);
    first.running = 1;
    vi.advanceTimersByTime(5_000);
    first.reply(1, "done");
    expect(await wanted).toBe("done");
    first.running = 2;
    vi.advanceTimersByTime(60);
    expect(await code(run(py.eval("1")))).toBe("ERR_ENGINE_LOST");
  });

  it("is not condemned for what JavaScript did not hear because it was busy itself", async () => {
    const { py, first } = await mortalPython(condemn, deaf);
    await aborted(py);
    // The timer is late, and the reply is read after it.
    const look = vi.spyOn(performance, "now");
    const before = performance.now();
    look.mockImplementation(() => before + 5_000);
    vi.advanceTimersByTime(300);
    look.mockRestore();
    first.reply(1, null);
    first.answers = [1];
    expect(await py.eval("1")).toBe(1);
  });

  it("and cannot be ended is refused before it starts", async () => {
    const read = optionReader("createPython", condemn);
    const core = readCoreOptions(read);
    await expect(createFacade(new ScriptedBackend(), core)).rejects.toMatchObject({ code: "ERR_UNSUPPORTED" });
    const replacing = readCoreOptions(optionReader("createPython", { whenLost: "replace" }));
    await expect(createFacade(new ScriptedBackend(), replacing)).rejects.toMatchObject({ code: "ERR_UNSUPPORTED" });
  });
});
