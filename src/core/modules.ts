/**
 * JavaScript modules that Python imports.
 */
import { EngineError } from "./errors.ts";
import { proxy } from "./lending.ts";

/** The module of `_isopy` that holds them. */
export const JS_MODULES = "_isopy.jsmodule";

/** The arguments of its `register`: the members are lent as they are, so Python sees what they become. */
export function moduleArguments(name: string, members: object): readonly unknown[] {
  if (typeof name !== "string" || name === "") {
    throw new EngineError(
      "ERR_ARGUMENT",
      "registerModule() takes the name that Python imports.",
      'Write: registerModule("host", { submit }).',
    );
  }
  if ((typeof members !== "object" && typeof members !== "function") || members === null) {
    throw new EngineError(
      "ERR_ARGUMENT",
      "registerModule() takes an object with the module's names.",
      'Write: registerModule("host", { submit }).',
    );
  }
  return [name, proxy(members)];
}
