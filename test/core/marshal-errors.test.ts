/** Exceptions on the wire. */
import { describe, expect, it } from "vitest";
import { EngineError } from "../../src/core/errors.ts";
import { extension, tupleOf } from "../../src/core/marshal/literals.ts";
import { Boundary, decode, encode } from "./marshal-support.ts";

const bare = {
  id: 5,
  name: "KeyError",
  type: "KeyError",
  mro: ["KeyError", "LookupError"],
  message: "x",
  args: ["x"],
  frames: [
    ["a.py", 1, 2, 3, "f", "x()"],
    ["b.py", null, null, null, "<module>", null],
  ],
  traceback: "Traceback…",
  notes: ["n"],
  cause: null,
  context: null,
  suppress: false,
  errors: null,
  extra: { key: "x" },
};

describe("an error", () => {
  it("arrives with all of its fields, and the ones inside it as errors", () => {
    const boundary = new Boundary();
    const thrown = (): number => 1;
    const nested = {
      ...bare,
      id: 6,
      cause: extension("error", bare),
      errors: [extension("error", bare), extension("engine_error", "ERR_LIMIT", "too long", "shorten it", null)],
      suppress: true,
      js: thrown,
      cancelled: true,
    };
    const error = decode(encode(extension("error", nested), boundary), undefined, boundary);
    expect(error).toBeInstanceOf(Error);
    expect(boundary.errors.map(({ id }) => id)).toEqual([5, 5, 6]);
    const fields = boundary.errors[2];
    expect(fields).toMatchObject({
      ...bare,
      id: 6,
      suppress: true,
      cancelled: true,
      cause: expect.any(Error),
      errors: [expect.any(Error), expect.any(EngineError)],
    });
    expect(fields?.js).toBe(thrown);
    expect(boundary.errors[0]).toStrictEqual(bare);
  });

  it("is the same whatever the options say about values", () => {
    for (const options of [{ dict: "map" }, { dict: "entries" }, { none: "undefined" }] as const) {
      const boundary = new Boundary();
      decode(encode(extension("error", bare), boundary), options, boundary);
      expect({ ...boundary.errors[0], args: null }).toStrictEqual({ ...bare, args: null });
    }
  });

  it("of the engine keeps code, hint and cause", () => {
    const error = decode(
      encode(
        extension(
          "engine_error",
          "ERR_NOT_CONVERTIBLE",
          "x.y is a socket",
          "close it",
          extension("engine_error", "ERR_LIMIT", "z", null, null),
        ),
      ),
    ) as EngineError;
    expect(error).toBeInstanceOf(EngineError);
    expect([error.code, error.hint, error.message]).toEqual(["ERR_NOT_CONVERTIBLE", "close it", "x.y is a socket\n  close it"]);
    expect(error.cause).toMatchObject({ code: "ERR_LIMIT" });
  });

  it("that is known goes back as its exception; any other as its facts, and is lent", () => {
    const boundary = new Boundary();
    const [known, other] = [new Error("a"), new RangeError("b")];
    boundary.exceptions.set(known, 77);
    expect(Buffer.from(encode(known, boundary)).includes("exception")).toBe(true);
    encode(other, boundary);
    expect(boundary.lends).toEqual([{ value: other, flags: 32, name: "RangeError" }]);
  });

  it("that JavaScript throws travels as facts and the very value", () => {
    const boundary = new Boundary();
    const error = new TypeError("no");
    const frame = encode(tupleOf([3, false, extension("thrown", error.name, error.message, "stack", error)]), boundary);
    expect(Buffer.from(frame).includes("thrown")).toBe(true);
    expect(boundary.lends[0]?.value).toBe(error);
  });
});
