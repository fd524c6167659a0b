/**
 * What each group must hold: `spec/marshalling.md`, section 14, transcribed item by item.
 *
 * An item is covered by a vector of its group that carries it as a tag. `coverage.ts` compares.
 */
import type { Group } from "./vector.ts";

interface Must {
  readonly vectors: number;
  readonly items: readonly string[];
}

const signed = (...magnitudes: string[]): string[] => magnitudes.flatMap((text) => [`+(${text})`, `-(${text})`]);
const each = (prefix: string, ...names: string[]): string[] => names.map((name) => `${prefix}${name}`);
const classes = ["complex", "range", "slice", "Ellipsis", "NotImplemented", "Decimal", "Fraction", "enum", "named tuple", "NDArray"];

export const mustInclude: Readonly<Record<Group, Must>> = {
  scalars: {
    vectors: 60,
    items: [
      ...each("None ", "as a result", "in a list", "in a tuple", "as a dict value", "as a dict key", "in a set"),
      ...each("null ", "as an argument", "in an array", "as a property", "as a Map key", "as a Map value", "in a Set"),
      ...each("undefined ", "as an argument", "in an array", "as an array hole", "as a property", "as a Map value", "in a Set"),
      "undefined as a keyword argument",
      "undefined as a callback's answer",
      ...signed("2**31", "2**32", "2**53 - 1", "2**53", "2**53 + 1", "2**63", "2**64", "10**40", "10**5000"),
      ...["0", "-0", "+0.5", "-0.5", "denormal", "max", "NaN", "+inf", "-inf"],
      ...each(
        "bool ",
        "in a list",
        "in a tuple",
        "as a dict value",
        "as a dict key",
        "in a set",
        "in a frozenset",
        "in an OrderedDict",
        "in a named tuple",
      ),
    ],
  },
  strings: {
    vectors: 20,
    items: [
      "empty",
      "NUL inside",
      "Latin-1",
      "BMP",
      "astral",
      "lone high surrogate",
      "lone low surrogate",
      "reversed pair",
      "pair as two code points",
      "1 MB",
      "combining",
      "RTL",
    ],
  },
  buffers: {
    vectors: 30,
    items: [
      ...each("format ", ..."bBhHiIlLqQfde?cnNP"),
      ...["0-d", "1-d", "2-d C", "2-d F", "strided", "negative stride", "broadcast", "empty", "readonly", "big-endian"],
      ...each(
        "from ",
        "Int8Array",
        "Uint8ClampedArray",
        "Int16Array",
        "Uint16Array",
        "Int32Array",
        "Uint32Array",
        "BigInt64Array",
        "BigUint64Array",
        "Float16Array",
        "Float32Array",
        "Float64Array",
      ),
    ],
  },
  containers: {
    vectors: 50,
    items: [
      ...["nested 5,000 deep", "self-cycle list", "self-cycle dict", "mutual cycle", "DAG identity", "tuple and list stay apart"],
      ...each("keys: ", "str", "int", "float", "nan", "mixed", "tuple", "frozenset", "bytes", "object"),
      ...["__proto__", "constructor", '1 and "1"', "True and 1", "mutation during read"],
    ],
  },
  valueclasses: {
    vectors: 40,
    items: classes.flatMap((name) => each(`${name} `, "round trip", "equality", "JSON", "structured clone")),
  },
  temporal: {
    vectors: 25,
    items: [
      "naive",
      "UTC",
      "fixed offset",
      "zone with fold=0",
      "zone with fold=1",
      "µs 1",
      "µs 999999",
      "year 1",
      "year 9999",
      "negative delta",
      "NaT",
    ],
  },
  errors: {
    vectors: 30,
    items: [
      ...["cause", "context", "suppress", "group", "notes", "SyntaxError fields", "KeyError('')", "exception whose str raises"],
      ...["JS→Py→JS→Py identity", "StopIteration through a callback", "SystemExit", "KeyboardInterrupt"],
    ],
  },
  handles: {
    vectors: 30,
    items: [
      ...["identity", "dispose twice", "use after", "other context", "other worker", "GC release"],
      ...["callable kwargs", "generator close", "async generator", "context manager"],
    ],
  },
  numpy: {
    vectors: 40,
    items: [
      ...each(
        "scalar ",
        "bool_",
        "integers",
        "int64",
        "uint64",
        "floats",
        "complex",
        "longdouble",
        "datetime64",
        "timedelta64",
        "text",
        "void",
      ),
      ...each("dtype ", "bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float16", "float32", "float64"),
      ...each("dtype ", "complex64", "complex128", "longdouble", "U", "S", "datetime64", "timedelta64", "object", "structured"),
      ...each("shape ", "0-d", "2-d C", "2-d F", "strided", "negative stride", "broadcast", "empty", "readonly", "big-endian"),
      ...each("pandas ", "DataFrame", "Series", "Index", "NA", "categories", "Timestamp"),
      ...["NaT", "masked", "fake __arrow_c_stream__", "fake buffer"],
    ],
  },
  limits: {
    vectors: 10,
    items: ["maxDepth", "maxNodes", "maxBytes", "maxHandles", "maxCallbacks", "maxOutput", "detached buffer", "revoked proxy"],
  },
};

/** Over all groups. */
export const minimumVectors = 335;
