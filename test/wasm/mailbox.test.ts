/**
 * The shared mailbox, both ends in one thread: whatever the worker posts is handled by the main end
 * at once, so each wait finds its parcel already there.
 */
import { describe, expect, it } from "vitest";
import type { ToMain } from "../../src/backends/wasm/contract.ts";
import { Asking } from "../../src/backends/wasm/engine/asking.ts";
import { Outbox } from "../../src/backends/wasm/engine/outbox.ts";
import { Mailbox } from "../../src/backends/wasm/mailbox.ts";
import { controlBytes } from "../../src/backends/wasm/shared.ts";

const bytes = (...values: number[]) => Uint8Array.from(values);

function joined(size: number, answer: (mailbox: Mailbox, question: number, asked: Uint8Array) => void) {
  const control = new SharedArrayBuffer(controlBytes);
  const memory = new SharedArrayBuffer(size);
  const mailbox = new Mailbox(control, memory);
  const nested: number[][] = [];
  const toPort: number[][] = [];
  const port = {
    postMessage(message: ToMain) {
      if ("ask" in message) {
        mailbox.opened(message.ask);
        answer(mailbox, message.ask, message.bytes);
      } else if ("took" in message) mailbox.took();
      else if ("mailbox" in message) mailbox.replaced(message.mailbox);
      else if ("abandoned" in message) toPort.push(...mailbox.abandoned(message.abandoned).map(([kind, b]) => [kind, ...b]));
    },
  };
  let onNested = (_kind: number, _bytes: Uint8Array): boolean => false;
  const asking = new Asking(control, memory, new Outbox(port as unknown as MessagePort), {
    frame(kind, frame) {
      nested.push([kind, ...frame]);
      return onNested(kind, frame);
    },
  });
  return { asking, mailbox, nested, toPort, onNested: (listener: typeof onNested) => (onNested = listener) };
}

describe("the mailbox", () => {
  it("brings an answer", () => {
    const { asking, mailbox } = joined(64, (box, question, asked) => box.answer(question, bytes(...asked, 9)));
    expect(asking.ask(bytes(1, 2))).toEqual(bytes(1, 2, 9));
    expect(asking.ask(bytes(3))).toEqual(bytes(3, 9));
    expect(mailbox.inUse).toBe(false);
  });

  it("grows for a big answer", () => {
    const { asking } = joined(8, (box, question) => box.answer(question, new Uint8Array(1000).fill(7)));
    expect(asking.ask(bytes(1))).toEqual(new Uint8Array(1000).fill(7));
    expect(asking.ask(bytes(1))?.length).toBe(1000);
  });

  it("brings frames before the answer, in order, big ones too", () => {
    const { asking, nested } = joined(16, (box, question) => {
      for (let n = 1; n <= 5; n++) box.frame([1, new Uint8Array(n * 10).fill(n)]);
      box.answer(question, bytes(0));
    });
    expect(asking.ask(bytes(1))).toEqual(bytes(0));
    expect(nested.map(([, first]) => first)).toEqual([1, 2, 3, 4, 5]);
    expect(nested.map((frame) => frame.length)).toEqual([11, 21, 31, 41, 51]);
  });

  it("a nested frame may ask; an early answer to the outer question waits its turn", () => {
    const questions: number[] = [];
    const { asking, onNested } = joined(64, (box, question) => {
      questions.push(question);
      if (questions.length === 1) box.frame([1, bytes(5)]);
      else {
        box.answer(questions[0] as number, bytes(11));
        box.answer(question, bytes(22));
      }
    });
    let inner: Uint8Array | undefined;
    onNested(() => {
      inner = asking.ask(bytes(2));
      return false;
    });
    expect(asking.ask(bytes(1))).toEqual(bytes(11));
    expect(inner).toEqual(bytes(22));
  });

  it("a wait that is interrupted ends; what lay there goes to the port, and the next question is not answered by it", () => {
    let first = true;
    const { asking, mailbox, toPort, onNested } = joined(64, (box, question) => {
      if (!first) {
        box.answer(question, bytes(2));
        return;
      }
      first = false;
      box.frame([3, bytes(1)]);
      box.frame([1, bytes(8)]);
      box.frame([1, bytes(9)]);
      box.answer(question, bytes(1));
    });
    onNested((kind) => kind === 3);
    expect(asking.ask(bytes(1))).toBeUndefined();
    expect(mailbox.inUse).toBe(false);
    expect(asking.ask(bytes(2))).toEqual(bytes(2));
    expect(toPort).toEqual([
      [1, 8],
      [1, 9],
    ]);
  });
});
