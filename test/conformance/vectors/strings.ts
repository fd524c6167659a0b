/**
 * Text, code unit by code unit: nothing is normalised, replaced or cut.
 */
import { aRef } from "../match.ts";
import { inGroup } from "../vector.ts";

export const strings = inGroup("strings", [
  { name: "the empty string is empty both ways", tags: ["empty"], python: "''", js: () => "" },
  { name: "[N-60] a NUL inside a string cuts nothing", tags: ["NUL inside"], python: "'a\\x00b'", js: () => "a\0b" },
  { name: "a string of NULs keeps its length", python: "'\\x00' * 5", js: () => "\0".repeat(5) },
  { name: "Latin-1 text is exact both ways", tags: ["Latin-1"], python: "'\\xe9\\xdf\\xff\\x80'", js: () => "éßÿ\x80" },
  { name: "text of the basic plane is exact both ways", tags: ["BMP"], python: "'\\u4f60\\u597d\\u20ac'", js: () => "你好€" },
  {
    name: "an astral character is one character in Python and two units in JavaScript",
    tags: ["astral"],
    python: "'\\U0001f600'",
    js: () => "😀",
  },
  { name: "[N-60] text after an astral character is not cut off", python: "'a\\U0001f600b'", js: () => "a😀b" },
  { name: "astral text has its Python length", js: () => "😀😀a", check: "len(x) == 3 and x[2] == 'a'" },
  { name: "[N-60] a lone high surrogate survives both ways", tags: ["lone high surrogate"], python: "'a\\ud83d'", js: () => "a\ud83d" },
  { name: "[N-60] a lone low surrogate survives both ways", tags: ["lone low surrogate"], python: "'\\ude00b'", js: () => "\ude00b" },
  { name: "a reversed surrogate pair survives both ways", tags: ["reversed pair"], python: "'\\ude00\\ud83d'", js: () => "\ude00\ud83d" },
  {
    name: "a pair that Python holds as two code points arrives as one astral character (E4)",
    tags: ["pair as two code points"],
    python: "'\\ud83d' + '\\ude00'",
    expect: "😀",
  },
  {
    name: "a surrogate pair from JavaScript is one code point in Python",
    js: () => "\ud83d\ude00",
    check: "len(x) == 1 and ord(x) == 0x1f600",
    roundTrip: true,
  },
  { name: "a high surrogate before an astral character stays alone", python: "'\\ud83d\\U0001f600'", js: () => "\ud83d😀" },
  { name: "a megabyte of ASCII is exact both ways", tags: ["1 MB"], python: "'abcdefgh' * 131072", js: () => "abcdefgh".repeat(131072) },
  {
    name: "a megabyte of mixed scripts is exact both ways",
    tags: ["1 MB"],
    python: "'a\\xe9\\u4f60\\U0001f600' * 131072",
    js: () => "aé你😀".repeat(131072),
  },
  { name: "combining characters are not composed", tags: ["combining"], python: "['e\\u0301', '\\xe9']", js: () => ["e\u0301", "\u00e9"] },
  {
    name: "right-to-left text keeps its logical order and its marks",
    tags: ["RTL"],
    python: "'\\u05e9\\u05dc\\u05d5\\u05dd \\u202babc\\u202c'",
    js: () => "שלום \u202babc\u202c",
  },
  { name: "an emoji sequence keeps its joiners", python: "'\\U0001f468\\u200d\\U0001f469\\u200d\\U0001f467'", js: () => "👨‍👩‍👧" },
  { name: "a byte order mark is a character like any other", python: "'\\ufeffa\\ufeff'", js: () => "\ufeffa\ufeff" },
  { name: "line separators and carriage returns are not translated", python: "'a\\r\\nb\\u2028c\\u2029'", js: () => "a\r\nb\u2028c\u2029" },
  { name: "noncharacters and the last code point survive", python: "'\\uffff\\ufffe\\U0010ffff'", js: () => "\uffff\ufffe\u{10ffff}" },
  {
    name: "dict keys are text as exact as values",
    python: "{'a\\x00': 1, '\\ud800': 2, '\\U0001f600': 3, '': 4}",
    js: () => ({ "a\0": 1, "\ud800": 2, "😀": 3, "": 4 }),
  },
  { name: "many strings with few texts stay separate values", python: "['k'] * 3 + ['K']", js: () => ["k", "k", "k", "K"] },
  {
    name: "strings around 255 bytes are exact",
    python: "['x' * 255, 'x' * 256, '\\xe9' * 127, '\\xe9' * 128]",
    js: () => ["x".repeat(255), "x".repeat(256), "é".repeat(127), "é".repeat(128)],
  },
  { name: "a str subclass stays a Python object", setup: "class Name(str): pass", python: "Name('a')", expect: aRef, roundTrip: true },
  {
    name: "text reaches Python code as itself, never as source",
    python: "text",
    values: () => ({ text: "'); raise SystemExit #" }),
    expect: "'); raise SystemExit #",
  },
]);
