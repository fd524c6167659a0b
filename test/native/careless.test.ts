/** What a careless or hostile program does to the engine gets one typed error, and the engine goes on. */
import { describe, expect, it } from "vitest";
import { output, startSync } from "./support.ts";

const awaiting = `
import asyncio
async def wait(f): return await f()
async def race(f):
    try: return await asyncio.wait_for(f(), 0.1)
    except asyncio.TimeoutError: return "in time"
async def all(f, proxied):
    found = await asyncio.gather(f(), wait(f), wait(proxied), race(f), return_exceptions=True)
    return [getattr(one, "code", one) for one in found]
`;

describe("a synchronous call", () => {
  it("that awaits a promise of JavaScript gets ERR_DEADLOCK: nobody is left to resolve it", async () => {
    const printed = await output(`${startSync}
      import { proxy } from "isopy/sync";
      const py = startSync();
      py.exec(${JSON.stringify(awaiting)});
      const resolved = async () => 5;
      const found = [...py.globals.get("all")(resolved, proxy(resolved, { async: true }))];
      for (const f of [resolved, proxy(resolved, { async: true })]) {
        try { py.eval("f()", { locals: { f } }); } catch (error) { found.push(error.code); }
      }
      console.log(found.join(), py.eval("1 + 1"));
    `);
    const code = "ERR_DEADLOCK";
    expect(printed).toBe(`${code},${code},${code},in time,${code},${code} 2`);
  });

  it("that fills JavaScript's stack is a recursion error, never a stopping environment", async () => {
    const printed = await output(`${startSync}
      const py = startSync();
      const call = py.eval("lambda f, *a: f(*a)");
      const found = [];
      for (const args of [[], [{ a: [1] }]]) {
        const again = () => call(again, ...args);
        try { again(); } catch (error) { found.push(/stopping/.test(error.stack + error.message) ? error.message : "recursion"); }
      }
      console.log(found.join(), py.eval("1"));
    `);
    expect(printed).toBe("recursion,recursion 1");
  });

  it("whose Map is changed by a getter inside it sends what the Map had, or says that it shrank", async () => {
    const printed = await output(`${startSync}
      const py = startSync();
      const show = py.eval("lambda *values: repr(values)");
      const growing = new Map([["a", { get x() { growing.set("later", 9); return 1; } }], ["b", 2]]);
      const shrinking = new Map([["a", { get x() { shrinking.delete("b"); return 1; } }], ["b", 2]]);
      let refused;
      try { show(growing, shrinking, "end"); } catch (error) { refused = error.code; }
      const fresh = new Map([["a", { get x() { fresh.set("later", 9); return 1; } }], ["b", 2]]);
      console.log(refused, show(fresh, "end"));
    `);
    expect(printed).toBe("ERR_NOT_CONVERTIBLE ({'a': {'x': 1}, 'b': 2}, 'end')");
  });
});
