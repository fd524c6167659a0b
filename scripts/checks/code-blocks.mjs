/**
 * The code blocks of a Markdown page that are marked to run: ```` ```ts run ````.
 *
 * Words after `run` name the engines: `native`, `wasm`; none means every engine. A comment
 * `// → text` after a `console.log` states a line of the output.
 */

/**
 * @typedef {{ page: string, line: number, language: string, code: string, engines: string[] | undefined, expected: string[] }} Block
 */

/** @returns {Block[]} */
export function runnableBlocks(page, text) {
  const blocks = [];
  const lines = text.split("\n");
  for (let index = 0; index < lines.length; index++) {
    const open = /^```(ts|js)\b(.*)$/.exec(lines[index]);
    if (open === null) continue;
    const begin = index + 1;
    while (index + 1 < lines.length && lines[index + 1] !== "```") index++;
    const words = open[2].trim().split(/\s+/);
    if (!words.includes("run")) continue;
    const code = lines.slice(begin, index + 1).join("\n");
    const engines = words.filter((word) => word === "native" || word === "wasm");
    blocks.push({
      page,
      line: begin,
      language: open[1],
      code,
      engines: engines.length > 0 ? engines : undefined,
      expected: [...code.matchAll(/\/\/ → (.*)$/gm)].map((match) => match[1].trim()),
    });
  }
  return blocks;
}

/** The same program on a named engine: a `createPython` that names none is where the choice is. */
export function onEngine(code, engine) {
  return code
    .replace(/createPython\(\)/g, `createPython({ backend: "${engine}" })`)
    .replace(/createPython\(\{ (?!backend)/g, `createPython({ backend: "${engine}", `);
}
