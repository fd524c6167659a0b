/** CPython built for debugging: refused, or used with its own checks on, when it is asked for. */
import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { inNode } from "./support.ts";

const debug = ["/usr/bin/python3-dbg", "/usr/bin/python3.11-dbg", "/usr/bin/python3.13-dbg"].find((path) => existsSync(path));

describe.skipIf(debug === undefined)("[N-85] a debug build", () => {
  const script = `
    import { createPython } from "isopy";
    const py = await createPython({ backend: "native" });
    const isolated = await py.context({ isolation: "interpreter" });
    const all = [py, isolated].map((one) => one.eval("f(2), hasattr(__import__('sys'), 'gettotalrefcount'), [1, {'a': 2.5}]", { locals: { f: (n) => n * 2 } }));
    console.log(JSON.stringify(await Promise.all(all)));
    await py.close();`;

  it("is refused with the way to allow it", async () => {
    const { code, stderr } = await inNode(script, { env: { ISOPY_PYTHON: debug ?? "", ISOPY_ALLOW: "" } });
    expect(code).toBe(1);
    expect(stderr).toContain("ISOPY_ALLOW=debug");
  });

  it("works when it is allowed, isolated contexts too, and finds nothing wrong", async () => {
    const { code, stdout, stderr } = await inNode(script, { env: { ISOPY_PYTHON: debug ?? "", ISOPY_ALLOW: "debug" } });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const one = [4, true, [1, { a: 2.5 }]];
    expect(JSON.parse(stdout)).toEqual([one, one]);
  });
});
