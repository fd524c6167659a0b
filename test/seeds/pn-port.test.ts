/**
 * The intents of PyNode's own 28 tests, the two it skips included.
 */
import type { PyRef } from "isopy";
import { beforeAll, describe, expect, test } from "vitest";
import { everyEngine, loadFixture, onEach } from "./engines.ts";
import { thrownBy } from "./thrown.ts";

onEach(everyEngine, (engine) => {
  const tools = (): PyRef => engine.py.import("seed_tools") as unknown as PyRef;
  beforeAll(() => loadFixture(engine.py, "seed_tools"));

  describe("eval", () => {
    test("[PN-15] 1 a statement that runs ends well", async () => {
      await engine.py.exec("import sys");
    });
    test("[PN-15] 2 a statement that fails says so", async () => {
      const error = await thrownBy(async () => await engine.py.exec("import a_module_that_does_not_exist"));
      expect(error).toMatchObject({ type: "ModuleNotFoundError" });
    });
  });

  describe("call", () => {
    test("[PN-15] 3 a call needs no callback as its last argument", async () => {
      expect(await tools().same(2)).toBe(2);
    });
    test("[PN-15] 4 the stack of a failing call is returned", async () => {
      const error = await thrownBy(async () => await tools().fails());
      expect(error).toMatchObject({ traceback: expect.stringContaining("fails") as string });
      expect((error as Error).message).toContain("'secon' is not defined");
    });
    test("[PN-15] 5 a table of texts and numbers is returned", async () => {
      const rows = (await tools().series()) as [string, number][];
      expect(rows).toHaveLength(50);
      expect(rows.every(([at, value]) => typeof at === "string" && typeof value === "number")).toBe(true);
    });
    test("[PN-15] 6 too many arguments are an error", async () => {
      const error = await thrownBy(async () => await tools().same(9, 9, 9));
      expect(error).toMatchObject({ type: "TypeError", pythonMessage: expect.stringContaining("3 were given") as string });
    });
    test.each([
      ["7 an int", 2],
      ["8 a float", 3.14],
      ["9 a string", "the string"],
      ["10 true", true],
      ["11 false", false],
    ])("[PN-15] %s comes back", async (_, value) => {
      expect(await tools().same(value)).toBe(value);
    });
    test("[PN-15] 12 None is null", async () => {
      expect(await tools().nothing()).toBe(null);
    });
    test("[PN-15] 13 a Date crosses as the instant it is (skipped in the seed)", async () => {
      const date = new Date(Date.UTC(2021, 8, 22, 1, 2, 3, 4));
      const back = (await tools().same(date)) as { epochMilliseconds: number };
      expect(back.epochMilliseconds).toBe(date.getTime());
      expect(await engine.py.eval("d.isoformat()", { locals: { d: date } })).toBe("2021-09-22T01:02:03.004000+00:00");
    });
  });

  describe("arrays", () => {
    test.each([
      ["14 an empty array", []],
      ["15 ints", [1, 2, 3]],
      ["16 strings", ["a", "b", "c"]],
      ["17 mixed", ["a", 1, 6.7777]],
      [
        "18 nested",
        [
          [1, 2, 3],
          ["a", "b", "c"],
        ],
      ],
      ["19 with objects", [{ array: [1, 2, 3] }, { string: "ok", float: 8281.111 }]],
    ])("[PN-15] %s comes back", async (_, value) => {
      expect(await tools().same(value)).toEqual(value);
    });
    test("[PN-15] 20 numbers are summed", async () => {
      expect(await tools().total([1, 2, 3])).toBe(6);
    });
    test("[PN-15] 21 a tuple is an array (skipped in the seed)", async () => {
      expect(await tools().a_tuple()).toEqual([1, 2, 3]);
    });
  });

  describe("dicts", () => {
    test("[PN-15] 22 a dict is an object", async () => {
      expect(await tools().a_dict()).toEqual({ size: 71589, min: -99.6654762642, max: 879.08351843 });
    });
    test.each([
      ["23 an empty object", {}],
      ["24 one key", { hey: "guys" }],
      ["25 two keys", { hey: "guys", other: 1 }],
      ["26 nested", { hey: [1, 2, 3], no: "yes", x: { stuff: "no", things: ["a", 1, 2.33], bro: { x: 1.233 } } }],
    ])("[PN-15] %s comes back", async (_, value) => {
      expect(await tools().same(value)).toEqual(value);
    });
    test("[PN-15] 27 two dicts are merged", async () => {
      expect(await tools().merged({ hey: "guys" }, { other: 1 })).toEqual({ hey: "guys", other: 1 });
    });
  });

  test("[PN-15] 28 a second start does no harm", async () => {
    const second = await engine.start();
    expect(await second.eval("1 + 1")).toBe(2);
    await second.close();
    expect(await engine.py.eval("1 + 1")).toBe(2);
  }, 60_000);
});
