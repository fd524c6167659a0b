/**
 * What Python raises, with all of its facts: class, chain, group, notes, frames.
 */

import { fails, failure } from "../failing.ts";
import { having, matching } from "../match.ts";
import type { Loose } from "../runner.ts";
import { inGroup } from "../vector.ts";

export const errors = inGroup("errors", [
  {
    name: "an exception is a PythonError with its class, message and arguments",
    setup: fails("raise ValueError('bad', 3)"),
    python: "fails()",
    throws: {
      type: "ValueError",
      message: /\('bad', 3\)/,
      fields: {
        name: "PythonError",
        qualifiedType: "ValueError",
        args: ["bad", 3],
        notes: [],
        errors: null,
        context: null,
        suppressContext: false,
      },
    },
  },
  {
    name: "a class of a module has its qualified name and its bases",
    setup: "import json",
    python: "json.loads('{')",
    throws: {
      type: "JSONDecodeError",
      fields: {
        qualifiedType: "json.decoder.JSONDecodeError",
        mro: matching(
          "JSONDecodeError, ValueError …",
          (m: string[]) => m[0] === "json.decoder.JSONDecodeError" && m[1] === "ValueError" && m.at(-1) === "object",
        ),
      },
    },
  },
  {
    name: "an object where keyword arguments were meant fails with a hint",
    act: async (t) => {
      const f = (await t.evaluate({ source: "lambda value: value", options: { convert: "ref" } })) as Loose;
      return t.settle(f(1, { axis: 0 }));
    },
    throws: { type: "TypeError", fields: { hint: matching("a hint at kw", (hint: string) => hint.includes("kw({")) } },
  },
  {
    name: "statements in eval fail with a hint at exec",
    act: (t) => t.settle(t.py.eval("x = 1")),
    throws: { type: "SyntaxError", fields: { hint: matching("a hint at exec", (hint: string) => hint.includes("exec")) } },
  },
  {
    name: "isA answers like isinstance",
    act: async (t) => {
      const e = await failure(t, fails("raise FileNotFoundError(2, 'gone')"));
      return [e.isA("OSError"), e.isA("ValueError")];
    },
    expect: [true, false],
  },
  {
    name: "[N-35] raise from gives a cause",
    tags: ["cause"],
    setup: fails("try:\n    {}['k']\nexcept KeyError as e:\n    raise RuntimeError('outer') from e"),
    python: "fails()",
    throws: { type: "RuntimeError", fields: { cause: having({ type: "KeyError" }), suppressContext: true } },
  },
  {
    name: "an exception raised while another is handled gives a context and no cause",
    tags: ["context"],
    setup: fails("try:\n    1 / 0\nexcept ZeroDivisionError:\n    raise RuntimeError('outer')"),
    python: "fails()",
    throws: { type: "RuntimeError", fields: { cause: undefined, context: having({ type: "ZeroDivisionError" }), suppressContext: false } },
  },
  {
    name: "raise from None suppresses the context",
    tags: ["suppress"],
    setup: fails("try:\n    1 / 0\nexcept ZeroDivisionError:\n    raise RuntimeError('outer') from None"),
    python: "fails()",
    throws: { type: "RuntimeError", fields: { cause: undefined, suppressContext: true } },
  },
  {
    name: "a chain of three causes arrives whole",
    tags: ["cause"],
    setup: fails(
      "try:\n    try:\n        int('x')\n    except ValueError as a:\n        raise KeyError('k') from a\nexcept KeyError as b:\n    raise RuntimeError('top') from b",
    ),
    python: "fails()",
    throws: { type: "RuntimeError", fields: { cause: having({ type: "KeyError", cause: having({ type: "ValueError" }) }) } },
  },
  {
    name: "a cyclic chain of causes ends instead of running for ever",
    tags: ["cause"],
    setup: fails("a = ValueError('a')\nb = KeyError('b')\na.__cause__ = b\nb.__cause__ = a\nraise a"),
    python: "fails()",
    throws: { type: "ValueError", fields: { cause: having({ type: "KeyError", cause: undefined }) } },
  },
  {
    name: "[N-35] an exception group arrives with its members",
    tags: ["group"],
    since: [3, 11],
    setup: fails("raise ExceptionGroup('both', [ValueError(1), ExceptionGroup('in', [KeyError('k')])])"),
    python: "fails()",
    throws: {
      type: "ExceptionGroup",
      fields: { errors: [having({ type: "ValueError" }), having({ type: "ExceptionGroup", errors: [having({ type: "KeyError" })] })] },
    },
  },
  {
    name: "notes arrive in order",
    tags: ["notes"],
    since: [3, 11],
    setup: fails("e = ValueError('x')\ne.add_note('first')\ne.add_note('second')\nraise e"),
    python: "fails()",
    throws: { type: "ValueError", fields: { notes: ["first", "second"] } },
  },
  {
    name: "a SyntaxError says file, line, column and text",
    tags: ["SyntaxError fields"],
    setup: fails("compile('a = 1\\nb = = 2\\n', 'given.py', 'exec')"),
    python: "fails()",
    throws: {
      type: "SyntaxError",
      fields: {
        extra: having({
          filename: "given.py",
          lineno: 2,
          offset: 5,
          text: matching("the line", (s: string) => s.startsWith("b = = 2")),
          msg: "invalid syntax",
        }),
      },
    },
  },
  {
    name: "a value of a template inside quotes is a SyntaxError, not the text of its name",
    act: (t) => t.settle(t.py.eval`"hello ${"Ada"}"`),
    throws: { type: "SyntaxError", message: /stands inside a string.*f"…/ },
  },
  {
    name: "source that does not compile is a SyntaxError of eval itself",
    tags: ["SyntaxError fields"],
    act: async (t) => t.py.eval("1 +"),
    throws: { type: "SyntaxError" },
  },
  {
    name: "KeyError('') has an empty message, not a pair of quotes",
    tags: ["KeyError('')"],
    setup: fails("raise KeyError('')"),
    python: "fails()",
    throws: { type: "KeyError", fields: { pythonMessage: "", args: [""] } },
  },
  {
    name: "the message of a KeyError is the key, not its repr",
    setup: fails("{}['colour']"),
    python: "fails()",
    throws: { type: "KeyError", fields: { pythonMessage: "colour", args: ["colour"] } },
  },
  {
    name: "[N-36] an exception whose __str__ raises still arrives",
    tags: ["exception whose str raises"],
    setup: `class Odd(Exception):\n    def __str__(self): raise ValueError('no text')\n${fails("raise Odd(1)")}`,
    python: "fails()",
    throws: { type: "Odd", fields: { args: [1] } },
  },
  {
    name: "[N-36] an exception whose __str__ and __repr__ recurse for ever still arrives",
    tags: ["exception whose str raises"],
    setup: `class Odd(Exception):\n    def __str__(self): return str(self)\n    __repr__ = __str__\n${fails("raise Odd()")}`,
    python: "fails()",
    throws: { type: "Odd" },
  },
  {
    name: "an exception whose arguments are no data arrives without them",
    setup: fails("raise ValueError('x', object())"),
    python: "fails()",
    throws: {
      type: "ValueError",
      fields: {
        args: matching("null, or null in the place of the object", (a: unknown[] | null) => a === null || (a[0] === "x" && a[1] === null)),
      },
    },
  },
]);
