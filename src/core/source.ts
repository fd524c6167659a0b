/**
 * Python source with values in it: the values are bound to names, never pasted.
 */
import { EngineError } from "./errors.ts";

export interface BoundSource {
  readonly source: string;
  readonly names: readonly string[];
  readonly values: readonly unknown[];
}

export interface SourceOptions {
  /** Names the source may use, and their values. */
  readonly locals?: Readonly<Record<string, unknown>>;
}

const IDENTIFIER = /^[\p{ID_Start}_][\p{ID_Continue}]*$/u;

/** Reads the arguments of `eval` and `exec`: a tagged template, or a string with options. */
export function bind(verb: string, first: TemplateStringsArray | string, rest: readonly unknown[]): BoundSource {
  if (typeof first === "string") return bindLocals(verb, first, rest[0] as SourceOptions | undefined);
  if (!Array.isArray(first) || !Array.isArray(first.raw)) {
    throw new EngineError(
      "ERR_ARGUMENT",
      `${verb} takes Python source: a template or a string.`,
      `Write: py.${verb}\`…\` or py.${verb}("…", { locals: { name: value } }).`,
    );
  }
  const { raw } = first;
  const prefix = freePrefix(raw);
  const names = rest.map((_, index) => `${prefix}${index}`);
  const source = raw.map((part, index) => (index === 0 ? "" : (names[index - 1] as string)) + unescape(part)).join("");
  return { source: dedent(source), names, values: rest };
}

function bindLocals(verb: string, source: string, options: SourceOptions | undefined): BoundSource {
  if (options !== undefined && (typeof options !== "object" || options === null || Array.isArray(options))) {
    throw new EngineError("ERR_OPTION", `${verb}: the options are not an object.`, `Write: py.${verb}("…", { locals: { name: value } }).`);
  }
  const locals = options?.locals ?? {};
  if (typeof locals !== "object" || Array.isArray(locals) || locals instanceof Map) {
    throw new EngineError("ERR_OPTION", `${verb}: option "locals" is not an object.`, "Write: { locals: { name: value } }.");
  }
  for (const key of Object.keys(options ?? {})) {
    if (key !== "locals")
      throw new EngineError(
        "ERR_OPTION",
        `${verb}: unknown option "${key}".`,
        `Known options: locals. Limits go to run(py.${verb}(…), { timeout, signal }).`,
      );
  }
  const names = Object.keys(locals);
  for (const name of names) {
    if (!IDENTIFIER.test(name))
      throw new EngineError("ERR_ARGUMENT", `${verb}: ${JSON.stringify(name)} is not a Python name.`, "Rename the key in { locals }.");
  }
  return { source: dedent(source), names, values: names.map((name) => locals[name]) };
}

/** A prefix that the source does not use itself. */
function freePrefix(parts: readonly string[]): string {
  let prefix = "_js";
  while (parts.some((part) => part.includes(prefix))) prefix += "_";
  return prefix;
}

/** Backslashes are Python's, except where JavaScript needs one: before a backtick and before `${`. */
function unescape(part: string): string {
  return part.replace(/\\(`|\$\{)/g, "$1");
}

/** Source in a template is indented like the code around it: the common indent goes, and blank lines around. */
function dedent(source: string): string {
  if (!source.includes("\n")) return source.trim();
  const lines = source.split("\n");
  let common: string | undefined;
  for (const [index, line] of lines.entries()) {
    if (line.trim() === "" || (index === 0 && line !== "" && !/^\s/.test(line))) continue;
    const indent = /^[ \t]*/.exec(line)?.[0] ?? "";
    common = common === undefined || indent.startsWith(common) ? (common ?? indent) : shared(common, indent);
  }
  const first = lines[0] as string;
  const flush = first.trim() !== "" && !/^\s/.test(first);
  // Source that begins on the first line at column 0 has its own indentation; nothing is common to it.
  const cut = flush ? 0 : (common?.length ?? 0);
  const kept = cut === 0 ? lines : lines.map((line) => (line.trim() === "" ? "" : line.slice(cut)));
  if (kept[0]?.trim() === "") kept.shift();
  return kept.join("\n").trimEnd();
}

function shared(a: string, b: string): string {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return a.slice(0, length);
}
