/**
 * A reader of streams for tests, apart from the one under test: extension values stay what they are
 * on the wire, `{ tag, operands }`.
 */
export interface Ext {
  readonly tag: string;
  readonly operands: readonly unknown[];
}
export const ext = (tag: string, ...operands: unknown[]): Ext => ({ tag, operands });

const MARK = Symbol("mark");
const utf8 = new TextDecoder();

export function unpickle(bytes: Uint8Array): unknown {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const stack: unknown[] = [];
  const memo: unknown[] = [];
  let at = 0;
  const take = (size: number): Uint8Array => bytes.slice(at, (at += size));
  const u8 = (): number => bytes[at++] as number;
  const u32 = (): number => view.getUint32((at += 4) - 4, true);
  const marked = (): unknown[] => {
    const from = stack.lastIndexOf(MARK);
    const items = stack.splice(from);
    items.shift();
    return items;
  };
  const top = (): unknown => stack[stack.length - 1];
  const long = (size: number): number | bigint => {
    let value = 0n;
    const part = take(size);
    for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(part[i] as number);
    value = BigInt.asIntN(size * 8, value);
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  };
  const extend = (items: unknown): Ext => {
    const [tag, ...operands] = items as [string, ...unknown[]];
    return { tag, operands };
  };
  const fill = (items: unknown[]): void => {
    const dict = top() as Record<string, unknown> | Map<unknown, unknown>;
    for (let i = 0; i < items.length; i += 2) {
      if (dict instanceof Map) dict.set(items[i], items[i + 1]);
      else dict[String(items[i])] = items[i + 1];
    }
  };
  for (;;) {
    const op = String.fromCharCode(u8());
    switch (op) {
      case "\x80":
        at++;
        break;
      case "\x95":
        at += 8;
        break;
      case ".":
        return stack.pop();
      case "N":
        stack.push(null);
        break;
      case "\x88":
        stack.push(true);
        break;
      case "\x89":
        stack.push(false);
        break;
      case "K":
        stack.push(u8());
        break;
      case "M":
        stack.push(view.getUint16((at += 2) - 2, true));
        break;
      case "J":
        stack.push(view.getInt32((at += 4) - 4, true));
        break;
      case "\x8a":
        stack.push(long(u8()));
        break;
      case "\x8b":
        stack.push(long(u32()));
        break;
      case "G":
        stack.push(view.getFloat64((at += 8) - 8));
        break;
      case "\x8c":
        stack.push(utf8.decode(take(u8())));
        break;
      case "X":
        stack.push(utf8.decode(take(u32())));
        break;
      case "C":
        stack.push(take(u8()));
        break;
      case "B":
        stack.push(take(u32()));
        break;
      case "]":
        stack.push([]);
        break;
      case ")":
        stack.push([]);
        break;
      case "}":
        stack.push({});
        break;
      case "\x8f":
        stack.push(new Set());
        break;
      case "(":
        stack.push(MARK);
        break;
      case "a": {
        const item = stack.pop();
        (top() as unknown[]).push(item);
        break;
      }
      case "e": {
        const items = marked();
        (top() as unknown[]).push(...items);
        break;
      }
      case "s":
        fill(stack.splice(-2));
        break;
      case "u":
        fill(marked());
        break;
      case "\x90": {
        const items = marked();
        for (const item of items) (top() as Set<unknown>).add(item);
        break;
      }
      case "\x85":
        stack.push(stack.splice(-1));
        break;
      case "\x86":
        stack.push(stack.splice(-2));
        break;
      case "\x87":
        stack.push(stack.splice(-3));
        break;
      case "t":
      case "l":
      case "\x91":
        stack.push(marked());
        break;
      case "q":
        memo[u8()] = top();
        break;
      case "r":
        memo[u32()] = top();
        break;
      case "\x94":
        memo.push(top());
        break;
      case "h":
        stack.push(memo[u8()]);
        break;
      case "j":
        stack.push(memo[u32()]);
        break;
      case "0":
        stack.pop();
        break;
      case "1":
        marked();
        break;
      case "Q":
        stack.push(extend(stack.pop()));
        break;
      default:
        throw new Error(`opcode 0x${op.charCodeAt(0).toString(16)} at ${at - 1}`);
    }
  }
}
