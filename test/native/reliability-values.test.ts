/** The failure catalogue: values and errors on their way. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { output, scale, startSync } from "./support.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "isopy-values-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("values", () => {
  it("[N-56] integers at every boundary keep their digits and never change their type by value", async () => {
    const printed = await output(`${startSync}
      const py = startSync();
      const type = py.eval("lambda x: type(x).__name__");
      const text = py.eval("lambda x: '%d' % x");
      const wrong = [];
      for (const bits of [31n, 32n, 53n, 63n, 64n, 1000n]) for (const sign of [1n, -1n]) for (const off of [-1n, 0n, 1n]) {
        const exact = sign * 2n ** bits + off;
        const back = py.eval("lambda s: int(s)")(String(exact));
        if (BigInt(back) !== exact || (typeof back === "number") !== Number.isSafeInteger(Number(exact))) wrong.push(["out", exact]);
        if (text(exact) !== String(exact) || type(exact) !== "int") wrong.push(["in", exact]);
      }
      console.log(wrong.length, type(1), type(1.5), type(true), type(2 ** 53));
    `);
    expect(printed).toBe("0 int float bool float");
  });

  it("[N-64] answers of every length around the buffers arrive whole, and junk in the output disturbs nothing", async () => {
    const printed = await output(`
      import { createPython } from "isopy";
      let written = 0;
      const py = await createPython({ ...native, stdout: (text) => void (written += text.length) });
      const wrong = [];
      for (const size of [65_534, 65_535, 65_536, 65_537, 1 << 20, ${Math.min(256, 16 * scale)} << 20]) {
        const text = await py.eval("(print(bytes(range(256)).decode('latin-1') * 20), 'x' * size)[1]", { locals: { size } });
        if (text.length !== size) wrong.push(size);
      }
      console.log(wrong.length, written >= 6 * 256 * 20);
      await py.close();
    `);
    expect(printed).toBe("0 true");
  });

  it("[N-61] files and folders whose names are no UTF-8 can be used", async () => {
    const printed = await output(
      `
      import fs from "node:fs";
      import { createPython } from "isopy";
      fs.writeFileSync(Buffer.concat([Buffer.from(${JSON.stringify(`${folder}/`)}), Buffer.from([0xff])]), "inside");
      fs.mkdirSync(${JSON.stringify(join(folder, "é"))});
      process.chdir(${JSON.stringify(join(folder, "é"))});
      const py = await createPython(native);
      const names = await py.import("os").listdir(${JSON.stringify(folder)});
      const odd = names.find((name) => name !== "é");
      const path = ${JSON.stringify(`${folder}/`)} + odd;
      console.log(odd === "\\udcff", await py.eval("__import__('pathlib').Path(path).read_text()", { locals: { path } }), (await py.import("os").getcwd()).endsWith("/é"));
      await py.close();
    `,
      { env: { LANG: "C", LC_ALL: "C" } },
    );
    expect(printed).toBe("true inside true");
  });
});

describe("errors", () => {
  it("[N-34] an error through four levels of both languages arrives with its cause and every frame", async () => {
    const printed = await output(`${startSync}
      const py = startSync();
      py.exec("def outer(f): return f()\\ndef inner(f): return f()");
      const [outer, inner] = [py.eval("outer"), py.eval("inner")];
      const first = new RangeError("deepest");
      const deepest = () => { throw first; };
      const middle = () => inner(deepest);
      let error;
      try { outer(middle); } catch (thrown) { error = thrown; }
      const chain = [];
      for (let one = error; one !== undefined && chain.length < 9; one = one.cause) chain.push(one);
      const stacks = chain.map((one) => one.stack).join();
      console.log(chain.includes(first), / in outer/.test(stacks), / in inner/.test(stacks), error.message.includes("deepest"));
    `);
    expect(printed).toBe("true true true true");
  });

  it("[N-35] an exception that is raised twice is the same object, with the same cause", async () => {
    const printed = await output(`
      import { createPython } from "isopy";
      const py = await createPython(native);
      await py.exec("kept = ValueError('kept')\\nkept.__cause__ = KeyError('why')\\ndef fail(): raise kept");
      const errors = [await py.eval("fail()").then(null, (e) => e), await py.eval("fail()").then(null, (e) => e)];
      console.log(await py.eval("a is b is kept", { locals: { a: errors[0], b: errors[1] } }), errors.map((e) => e.cause.type).join());
      await py.close();
    `);
    expect(printed).toBe("true KeyError,KeyError");
  });

  it("[N-36] exceptions that cannot be printed are errors all the same, on every thread", async () => {
    const printed = await output(`${startSync}
      import { createPython } from "isopy";
      const py = await createPython(native);
      const sync = startSync();
      const source = "class E(Exception):\\n    def __str__(self): return str(self)\\n    __repr__ = __str__\\nraise E('x')";
      const seen = [await py.exec(source).then(() => "none", (e) => e.type)];
      try { sync.exec(source); } catch (e) { seen.push(e.type); }
      console.log(seen.join());
      await py.close();
    `);
    expect(printed).toBe("E,E");
  });

  it("[N-37] ways to leave Python do not end the host", async () => {
    const printed = await output(`${startSync}
      import { createPython } from "isopy";
      const py = await createPython(native);
      const sync = startSync();
      const ways = ["__import__('sys').exit(3)", "__import__('sys').exit('text')", "(_ for _ in ()).throw(SystemExit(3))", "__import__('threading').Thread(target=__import__('sys').exit).start()"];
      const seen = [];
      for (const way of ways) seen.push(await py.eval(way).then(() => "ok", (e) => e.type));
      for (const way of ways) try { sync.eval(way); seen.push("ok"); } catch (e) { seen.push(e.type); }
      console.log(seen.join(), await py.eval("1"));
      await py.close();
    `);
    expect(printed).toBe("SystemExit,SystemExit,SystemExit,ok,SystemExit,SystemExit,SystemExit,ok 1");
  });
});
