/**
 * Services are ordinary calls into `_isopy`: no instruction and no backend method of their own.
 */
import type { ContextId } from "./backend.ts";
import { ExprNode, type Home } from "./expression.ts";
import { Op } from "./wire/frames.ts";

/** `module.name(*args)`, as an expression to start. */
export function serviceCall(home: Home, module: string, name: string, args: readonly unknown[], context: ContextId = 0): ExprNode {
  const from = new ExprNode(home, context, Op.IMPORT, null, module);
  return new ExprNode(home, context, Op.CALL, new ExprNode(home, context, Op.GET, from, name), [...args]);
}
