/** What a source file imports, from its syntax tree (so that a comment or a string is not an import). */
import { parseSync } from "vite";

/**
 * @param {string} name   File name; its ending says the language.
 * @param {string} source
 * @returns {{ target: string, line: number, types: boolean, dynamic: boolean }[]}
 */
export function importsOf(name, source) {
  const { program, errors } = parseSync(name, source);
  if (errors.length > 0) throw new SyntaxError(`${name}: ${errors[0].message}`);
  const found = [];
  const add = (node, literal, types, dynamic) => {
    if (literal?.type !== "Literal" || typeof literal.value !== "string") return;
    found.push({ target: literal.value, line: source.slice(0, node.start).split("\n").length, types, dynamic });
  };
  const onlyTypes = (node, kind) =>
    node[kind] === "type" || (node.specifiers?.length > 0 && node.specifiers.every((one) => one[kind] === "type"));
  visit(program);
  return found;

  function visit(node) {
    if (node === null || typeof node !== "object") return;
    if (Array.isArray(node)) {
      for (const one of node) visit(one);
      return;
    }
    if (node.type === "ImportDeclaration") add(node, node.source, onlyTypes(node, "importKind"), false);
    else if (node.type === "ExportNamedDeclaration" || node.type === "ExportAllDeclaration")
      add(node, node.source, onlyTypes(node, "exportKind"), false);
    else if (node.type === "ImportExpression") add(node, node.source, false, true);
    else if (node.type === "TSImportType") add(node, node.source ?? node.argument, true, false);
    else if (node.type === "CallExpression" && node.callee?.name === "require") add(node, node.arguments[0], false, true);
    for (const key in node) if (key !== "parent") visit(node[key]);
  }
}
