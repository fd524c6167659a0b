/**
 * Looking through a finished value: where something is, and putting one object in another's place.
 * Iterative; each object is looked at once.
 */
import { EngineError } from "../errors.ts";
import { Path } from "./path.ts";

/** A stream that is no stream. */
export function fail(why: string): never {
  throw new EngineError(
    "ERR_PROTOCOL",
    `A stream cannot be read: ${why}.`,
    "This is a mistake in isopy or in an engine that speaks another version of its protocol.",
  );
}

interface Step {
  readonly holder: Step | undefined;
  readonly say: (path: Path) => void;
  readonly value: unknown;
}

/** The path of `wanted` inside `root`. */
export function locate(root: unknown, wanted: object, name: string): string {
  const seen = new Set<unknown>();
  const todo: Step[] = [{ holder: undefined, say: () => {}, value: root }];
  for (let step = todo.pop(); step !== undefined; step = todo.pop()) {
    if (step.value === wanted) {
      const steps: Step[] = [];
      for (let at: Step | undefined = step; at !== undefined; at = at.holder) steps.unshift(at);
      const path = new Path(name);
      for (const { say } of steps) say(path);
      return path.text;
    }
    const { value } = step;
    if (typeof value !== "object" || value === null || seen.has(value)) continue;
    seen.add(value);
    const holder = step;
    const add = (item: unknown, say: (path: Path) => void): void => {
      if (typeof item === "object" && item !== null) todo.push({ holder, say, value: item });
    };
    if (Array.isArray(value)) value.forEach((item, i) => add(item, (path) => path.index(i)));
    else if (value instanceof Map) {
      for (const [key, item] of value as Map<unknown, unknown>) {
        add(key, (path) => path.entry(key, true));
        add(item, (path) => path.entry(key, false));
      }
    } else if (value instanceof Set) [...(value as Set<unknown>)].forEach((item, i) => add(item, (path) => path.member(i)));
    else if (!ArrayBuffer.isView(value))
      for (const key of Object.keys(value)) add((value as Record<string, unknown>)[key], (path) => path.key(key));
  }
  return `something in ${name}`;
}

/**
 * Puts `replaced`'s values in the place of its keys, everywhere in a value of this stream. What is
 * replaced were dicts, so it is no key and no member itself.
 */
export function replaceAll(root: unknown, replaced: ReadonlyMap<object, object>): unknown {
  const now = (value: unknown): unknown => replaced.get(value as object) ?? value;
  const settled = now(root);
  const seen = new Set<unknown>();
  const todo: unknown[] = [settled];
  while (todo.length > 0) {
    const value = todo.pop();
    if (typeof value !== "object" || value === null || seen.has(value)) continue;
    seen.add(value);
    if (Array.isArray(value)) {
      for (let i = 0; i < value.length; i++) {
        const item = now(value[i]);
        if (item !== value[i]) value[i] = item;
        todo.push(item);
      }
    } else if (value instanceof Map) {
      for (const [key, item] of value as Map<unknown, unknown>) {
        if (now(item) !== item) value.set(key, now(item));
        todo.push(key, now(item));
      }
    } else if (value instanceof Set) {
      for (const member of value as Set<unknown>) todo.push(member);
    } else if (Object.getPrototypeOf(value) === Object.prototype) {
      const object = value as Record<string, unknown>;
      for (const key of Object.keys(object)) {
        const descriptor = Object.getOwnPropertyDescriptor(object, key) as PropertyDescriptor;
        const item = now(descriptor.value);
        if (item !== descriptor.value) Object.defineProperty(object, key, { ...descriptor, value: item });
        todo.push(item);
      }
    }
  }
  return settled;
}
