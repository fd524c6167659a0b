/** Conversion rules of the user, on every engine of the async facade. */
import { EngineError, type Python, toJs } from "isopy";
import { expect, test } from "vitest";
import { asyncEngines, onEach } from "./engines.ts";

class Point {
  constructor(
    readonly x: number,
    readonly y: number,
  ) {}
}

onEach(asyncEngines, ({ start }) => {
  const withRules = async (body: (py: Python) => Promise<void>): Promise<void> => {
    const py = await start();
    try {
      await body(py);
    } finally {
      await py.close();
    }
  };

  test("a rule for a Python class gives data, and a subclass only where it says so", () =>
    withRules(async (py) => {
      await py.rules.add({ python: "uuid.UUID", encode: "str" });
      await py.rules.add({
        python: "pathlib.PurePath",
        encode: "lambda path: list(path.parts)",
        decode: (parts) => ({ parts }),
        subclasses: true,
      });
      const [id, path] = (await py.eval("[__import__('uuid').UUID(int=5), __import__('pathlib').PurePosixPath('/a/b')]")) as unknown[];
      expect(id).toBe("00000000-0000-0000-0000-000000000005");
      expect(path).toEqual({ parts: ["/", "a", "b"] });
      expect(await py.import("uuid").UUID(id)).toBe(id);
      expect(await toJs(py.import("uuid").UUID(id))).toBe(id);
      expect(await py.import("pathlib").PurePosixPath("/a")).toEqual({ parts: ["/", "a"] });
    }));

  test("a rule for a JavaScript class makes the Python object, and the highest priority wins", () =>
    withRules(async (py) => {
      await py.rules.add({ js: Point, encode: ({ x, y }: Point) => [x, y], decode: "lambda xy: complex(*xy)" });
      await py.rules.add({ match: (value) => value instanceof Point, encode: () => "low", priority: -1 });
      expect(await py.eval`${new Point(1, 2)} == 1 + 2j`).toBe(true);
    }));

  test("a rule never changes what an exact type becomes", () =>
    withRules(async (py) => {
      await py.rules.add({ python: "builtins.list", encode: "len" });
      expect(await py.eval("[1, 2]")).toEqual([1, 2]);
    }));

  test("a rule that cannot be is refused, and one that fails says which side failed", () =>
    withRules(async (py) => {
      await expect(py.rules.add({ python: "uuid.Nothing", encode: "str" })).rejects.toMatchObject({ type: "AttributeError" });
      await expect(py.rules.add({ python: "uuid.UUID" } as never)).rejects.toMatchObject({ code: "ERR_OPTION" });
      await py.rules.add({ js: Point, encode: () => 1, decode: "lambda data: data.nothing" });
      const error = await Promise.resolve(py.eval`${new Point(1, 2)}`).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(EngineError);
      expect(error).toMatchObject({ code: "ERR_NOT_CONVERTIBLE" });
    }));
});
