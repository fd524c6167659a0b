/**
 * Exceptions that cross more than once, exceptions that end programs, and errors of JavaScript in Python.
 */

import { PythonError } from "isopy";
import { fails, failure } from "../failing.ts";
import { having, matching } from "../match.ts";
import type { Runner } from "../runner.ts";
import { inGroup } from "../vector.ts";

const alive = async (t: Runner) => t.evaluate({ source: "6 * 7" });

export const errorCrossing = inGroup("errors", [
  {
    name: "what JavaScript throws in a callback comes back as the very same object",
    tags: ["JS→Py→JS→Py identity"],
    needs: ["syncCallbacks"],
    act: async (t) => {
      const thrown = new RangeError("mine");
      const error = await failure(t, "def fails(): cb()", {
        cb: () => {
          throw thrown;
        },
      });
      return error.cause === thrown;
    },
    expect: true,
  },
  {
    name: "a thrown value that is no Error comes back as itself",
    needs: ["syncCallbacks"],
    act: async (t) => {
      const thrown = { code: 7 };
      const error = await failure(t, "def fails(): cb()", {
        cb: () => {
          throw thrown;
        },
      });
      return (error.cause as { code?: number } | undefined)?.code;
    },
    expect: 7,
  },
  {
    name: "a PythonError given back to Python is the very same exception",
    tags: ["JS→Py→JS→Py identity"],
    act: async (t) => {
      const setup =
        "import sys, types\nkept = sys.modules.setdefault('vector_kept', types.ModuleType('vector_kept'))\nclass Mine(Exception): pass\ndef fails():\n    kept.error = Mine('one')\n    raise kept.error";
      const error = await failure(t, setup);
      return t.evaluate({ setup: "from vector_kept import error", source: "e is error", values: { e: error } });
    },
    expect: true,
  },
  {
    name: "[N-35] an exception that a callback throws again is the original in Python",
    tags: ["JS→Py→JS→Py identity"],
    needs: ["syncCallbacks"],
    act: async (t) => {
      const setup =
        "import sys, types\nkept = sys.modules.setdefault('vector_kept2', types.ModuleType('vector_kept2'))\ndef fails():\n    kept.error = KeyError('deep')\n    raise kept.error";
      const error = await failure(t, setup);
      const again =
        "from vector_kept2 import error\ndef same(cb):\n    try:\n        cb()\n    except KeyError as e:\n        return e is error";
      return t.evaluate({
        setup: again,
        source: "same(cb)",
        values: {
          cb: () => {
            throw error;
          },
        },
      });
    },
    expect: true,
  },
  {
    name: "[N-34] JavaScript's error through Python, JavaScript and Python again stays one object",
    tags: ["JS→Py→JS→Py identity"],
    needs: ["syncCallbacks"],
    act: async (t) => {
      const thrown = new TypeError("once");
      const first = await failure(t, "def fails(): cb()", {
        cb: () => {
          throw thrown;
        },
      });
      const second = await failure(t, "def fails(): cb()", {
        cb: () => {
          throw first;
        },
      });
      return [second.cause === thrown, second.type];
    },
    expect: [true, matching("a name made of JsTypeError", (s: string) => s.includes("TypeError"))],
  },
  {
    name: "a StopIteration that a callback throws again ends nothing but is caught as itself",
    tags: ["StopIteration through a callback"],
    needs: ["syncCallbacks"],
    act: async (t) => {
      const error = await failure(t, fails("raise StopIteration(7)"));
      const setup = "def caught(cb):\n    try:\n        cb()\n    except StopIteration as e:\n        return ['caught', e.value]";
      return [
        error.type,
        error.extra["value"],
        await t.evaluate({
          setup,
          source: "caught(cb)",
          values: {
            cb: () => {
              throw error;
            },
          },
        }),
      ];
    },
    expect: ["StopIteration", 7, ["caught", 7]],
  },
  {
    name: "a callback that answers inside a generator does not end it",
    tags: ["StopIteration through a callback"],
    needs: ["syncCallbacks"],
    python: "[cb(x) for x in (1, 2, 3)]",
    values: () => ({ cb: (x: number) => x * 2 }),
    expect: [2, 4, 6],
  },
  {
    name: "[N-37] SystemExit is an exception with its code, and the engine goes on",
    tags: ["SystemExit"],
    act: async (t) => {
      const error = await failure(t, fails("raise SystemExit(3)"));
      return [error.type, error.extra["code"], await alive(t)];
    },
    expect: ["SystemExit", 3, 42],
  },
  {
    name: "sys.exit() with a text ends nothing",
    tags: ["SystemExit"],
    act: async (t) => {
      const error = await failure(t, `import sys\n${fails("sys.exit('goodbye')")}`);
      return [error.type, error.extra["code"], await alive(t)];
    },
    expect: ["SystemExit", "goodbye", 42],
  },
  {
    name: "KeyboardInterrupt raised by code is an exception like any other",
    tags: ["KeyboardInterrupt"],
    act: async (t) => {
      const error = await failure(t, fails("raise KeyboardInterrupt('stop')"));
      return [error.type, error.pythonMessage, await alive(t)];
    },
    expect: ["KeyboardInterrupt", "stop", 42],
  },
  {
    name: "a signal interrupts Python with KeyboardInterrupt, and the caller gets the signal's reason",
    tags: ["KeyboardInterrupt"],
    needs: ["interrupt", "syncCallbacks", "promises"],
    act: async (t) => {
      const reason = new Error("enough");
      const control = new AbortController();
      const setup =
        "import sys, threading, types\nseen = sys.modules.setdefault('vector_seen', types.ModuleType('vector_seen'))\nseen.over = threading.Event()\ndef spin(started):\n    try:\n        started()\n        while True: sum(range(3))\n    except KeyboardInterrupt:\n        seen.interrupted = True\n        raise\n    finally:\n        seen.over.set()";
      const started = (): void => void setTimeout(() => control.abort(reason));
      const outcome = await t.evaluate({ setup, source: "spin(started)", values: { started }, options: { signal: control.signal } }).then(
        () => "no",
        (error: unknown) => error === reason,
      );
      return [outcome, await t.evaluate({ setup: "import vector_seen as seen", source: "seen.over.wait(10) and seen.interrupted" })];
    },
    expect: [true, true],
  },
  {
    name: "frames name the user's functions, files and lines, and none of the engine's",
    setup: "def inner():\n    return 1 / 0\ndef fails():\n    return inner()",
    python: "fails()",
    throws: {
      type: "ZeroDivisionError",
      fields: {
        frames: matching("… fails line 4, inner line 2, in <vector>", (f: PythonError["frames"]) => {
          const [a, b] = f.slice(-2);
          return (
            a?.function === "fails" &&
            a.line === 4 &&
            b?.function === "inner" &&
            b.line === 2 &&
            b.file === "<vector>" &&
            f.every((one) => !one.file.includes("_isopy"))
          );
        }),
        traceback: matching(
          "a traceback",
          (text: string) => text.includes("ZeroDivisionError: division by zero") && text.includes("inner"),
        ),
      },
    },
  },
  {
    name: "the stack has the Python frames above the JavaScript ones",
    act: async (t) => (await failure(t, fails("1 / 0"))).stack ?? "",
    expect: matching("Python first", (s: string) => s.indexOf("fails") > 0),
  },
  {
    name: "endless recursion is a RecursionError, and the engine goes on",
    act: async (t) => {
      const error = await failure(t, "def fails(): return fails()");
      return [error.type, error.frames.length > 0, await alive(t)];
    },
    expect: ["RecursionError", true, 42],
  },
  {
    name: "a MemoryError arrives",
    act: async (t) => {
      const error = await failure(t, fails("raise MemoryError"));
      return [error.type, await alive(t)];
    },
    expect: ["MemoryError", 42],
  },
  {
    name: "an OSError says errno, text and file",
    setup: fails("open('/no/such/dir/file')"),
    python: "fails()",
    throws: {
      type: "FileNotFoundError",
      fields: { extra: having({ errno: matching("ENOENT", (n: number) => n === 2 || n === 44), filename: "/no/such/dir/file" }) },
    },
  },
  {
    name: "an ImportError names the module",
    act: async (t) => t.py.import("no_such_module_here").x,
    throws: { type: "ModuleNotFoundError", fields: { extra: having({ name: "no_such_module_here" }) } },
  },
  {
    name: "[N-25] an AttributeError names the attribute, not undefined",
    act: async (t) => {
      const m = await t.evaluate({ source: "__import__('math')" });
      return (m as Record<string, unknown>)["sqrrt"];
    },
    throws: { type: "AttributeError", message: /sqrrt/ },
  },
  {
    name: "a UnicodeDecodeError keeps its numbers and bytes",
    setup: fails("b'\\xff'.decode('utf-8')"),
    python: "fails()",
    throws: {
      type: "UnicodeDecodeError",
      fields: { extra: having({ encoding: "utf-8", start: 0, end: 1 }), args: ["utf-8", Uint8Array.of(255), 0, 1, "invalid start byte"] },
    },
  },
  {
    name: "a message may hold NUL, surrogates and a megabyte",
    setup: fails("raise ValueError('a\\x00\\ud800' + 'x' * 2**20)"),
    python: "fails()",
    throws: { type: "ValueError", fields: { pythonMessage: `a\0\ud800${"x".repeat(2 ** 20)}` } },
  },
  {
    name: "raising what is no exception is Python's own TypeError",
    setup: fails("raise 'text'"),
    python: "fails()",
    throws: { type: "TypeError", message: /derive from BaseException/ },
  },
  {
    name: "an exception class of the user with BaseException as base is an exception",
    setup: `class Stop(BaseException): pass\n${fails("raise Stop('now')")}`,
    python: "fails()",
    throws: {
      type: "Stop",
      fields: { mro: matching("Stop, BaseException, object", (m: string[]) => m.length === 3 && m[1] === "BaseException") },
    },
  },
  {
    name: "an exception as a value is a PythonError that is not thrown, and returns as itself",
    python: "ValueError('x', 1)",
    expect: matching("a PythonError", (e) => (e as unknown) instanceof PythonError && (e as PythonError).type === "ValueError"),
    roundTrip: true,
  },
  {
    name: "an exception inside a list arrives in its place",
    python: "[1, KeyError('k')]",
    expect: [1, having({ name: "PythonError", type: "KeyError" })],
    roundTrip: true,
  },

  {
    name: "a JavaScript TypeError is a TypeError in Python",
    js: () => new TypeError("wrong kind"),
    check: "isinstance(x, TypeError) and str(x).endswith('wrong kind')",
    roundTrip: "identical",
  },
  {
    name: "a RangeError is both ValueError and IndexError",
    js: () => new RangeError("too far"),
    check: "isinstance(x, ValueError) and isinstance(x, IndexError)",
    roundTrip: "identical",
  },
  {
    name: "a ReferenceError is a NameError",
    js: () => new ReferenceError("who"),
    check: "isinstance(x, NameError)",
    roundTrip: "identical",
  },
  {
    name: "a SyntaxError of JavaScript is one in Python",
    js: () => new SyntaxError("what"),
    check: "isinstance(x, SyntaxError)",
    roundTrip: "identical",
  },
  {
    name: "an AbortError is a CancelledError",
    js: () => new DOMException("stopped", "AbortError"),
    check: "isinstance(x, __import__('asyncio').CancelledError)",
    roundTrip: "identical",
  },
  {
    name: "an AggregateError is an ExceptionGroup of its errors",
    since: [3, 11],
    js: () => new AggregateError([new TypeError("a"), new RangeError("b")], "both"),
    check: "isinstance(x, ExceptionGroup) and isinstance(x.exceptions[0], TypeError) and isinstance(x.exceptions[1], ValueError)",
    roundTrip: "identical",
  },
  {
    name: "a plain Error keeps name, message and stack",
    js: () => Object.assign(new Error("text"), { name: "Custom" }),
    check: "isinstance(x, Exception) and x.name == 'Custom' and x.message == 'text' and 'text' in x.stack",
    roundTrip: "identical",
  },
  {
    name: "the cause of a JavaScript error is __cause__",
    js: () => new Error("outer", { cause: new TypeError("inner") }),
    check: "isinstance(x.__cause__, TypeError) and 'inner' in str(x.__cause__)",
  },
  {
    name: "Python catches what a callback throws by its mapped class",
    needs: ["syncCallbacks"],
    setup: "def caught(cb):\n    try:\n        cb()\n    except IndexError as e:\n        return [type(e).__name__, str(e)]",
    python: "caught(cb)",
    values: () => ({
      cb: () => {
        throw new RangeError("js-oops");
      },
    }),
    expect: matching("a name and js-oops", ([name, text]: string[]) => name !== undefined && (text as string).includes("js-oops")),
  },
  {
    name: "Python catches a thrown string",
    needs: ["syncCallbacks"],
    setup: "def caught(cb):\n    try:\n        cb()\n    except Exception as e:\n        return e.js",
    python: "caught(cb)",
    values: () => ({
      cb: () => {
        throw "just text";
      },
    }),
    expect: "just text",
  },
  {
    name: "what builds on a failure fails with it, a call with a function too",
    act: async (t) => {
      const callback = (n: unknown) => n;
      await t.py.eval("1 / 0").method(callback, [callback]);
    },
    throws: { type: "ZeroDivisionError" },
  },
]);
