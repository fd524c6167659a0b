/**
 * The numbers of PROTOCOL.md: frame kinds, instructions, modes and flags.
 *
 * Only numbers live here. They are the contract with every engine: a number is never reused
 * and never changes its meaning within a protocol version.
 */

/** The protocol this side speaks; an engine says its own in `hello`. */
export const PROTOCOL_VERSION = 1;

/** What a frame is (PROTOCOL.md, section 2). Below 16: to the engine. */
export const FrameKind = {
  SUBMIT: 1,
  RELEASE: 2,
  INTERRUPT: 3,
  ANSWER: 4,
  REPLY: 16,
  EVENT: 17,
  CALL: 18,
  FORGET: 19,
} as const;
export type FrameKind = (typeof FrameKind)[keyof typeof FrameKind];

/** Instructions of a program (section 3). */
export const Op = {
  IMPORT: 0,
  GET: 1,
  ITEM: 2,
  CALL: 3,
  SET: 4,
  SETITEM: 5,
  DEL: 6,
  DELITEM: 7,
  EVAL: 8,
  EXEC: 9,
  ITER: 10,
  NEXT: 11,
  CLOSE: 12,
  AWAIT: 13,
  GLOBAL: 14,
  CAST: 15,
  THROW: 16,
  SEND: 17,
  ENTER: 18,
  EXIT: 19,
  VALUE: 20,
  SETGLOBAL: 21,
  DELGLOBAL: 22,
} as const;
export type Op = (typeof Op)[keyof typeof Op];

/** How an output is sent; add `NO_AWAIT` to keep an awaitable as it is. */
export const Mode = {
  AUTO: 0,
  REF: 1,
  COPY: 2,
  PORTABLE: 3,
  NONE: 4,
  VIEW: 5,
  NO_AWAIT: 8,
} as const;

/** What a Python object can do, said once when its handle is introduced. */
export const HandleFlag = {
  CALLABLE: 1,
  ITERABLE: 2,
  ITERATOR: 4,
  ASYNC_ITERABLE: 8,
  AWAITABLE: 16,
  CONTEXT_MANAGER: 32,
  ASYNC_CONTEXT_MANAGER: 64,
  MAPPING: 128,
  HAS_LENGTH: 256,
  CLASS: 512,
  MODULE: 1024,
  ASYNC_ITERATOR: 2048,
  GENERATOR: 4096,
  BUFFER: 8192,
} as const;

/** What a JS value can do, said when it is lent to Python. */
export const LentFlag = {
  FUNCTION: 1,
  CLASS: 2,
  ITERABLE: 4,
  ASYNC_ITERABLE: 8,
  THENABLE: 16,
  ERROR: 32,
  SYMBOL: 64,
  ARRAY: 128,
  ASYNC: 256,
  ITERATOR: 512,
  HAS_LENGTH: 1024,
} as const;

/** What Python asks of a lent value (section 6). */
export const JsOp = {
  CALL: 0,
  GET: 1,
  SET: 2,
  DELETE: 3,
  NEW: 4,
  METHOD: 5,
  ITERATE: 6,
  NEXT: 7,
  RETURN: 8,
  LENGTH: 9,
  GETITEM: 10,
  SETITEM: 11,
  DELITEM: 12,
  CONTAINS: 13,
  KEYS: 14,
  TEXT: 15,
  AWAIT: 16,
  TRUTH: 17,
  EQUALS: 18,
} as const;
export type JsOp = (typeof JsOp)[keyof typeof JsOp];
