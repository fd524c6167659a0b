/**
 * The flat format: plain data as slots of 8 bytes in memory that both sides see (ADR 0014).
 *
 * Private to an engine in this process and the core; `native/flat.h` says the same. A slot is a tag
 * and an argument (int32 each, the tag first) or eight raw bytes. Text is beside it: all strings of a message
 * are one string, in the order of their slots, and lengths are UTF-16 units.
 */
export const Tag = {
  NONE: 0,
  FALSE: 1,
  TRUE: 2,
  INT: 3,
  FLOAT: 4,
  WIDE: 5,
  BIG: 6,
  TEXT: 7,
  TEXT_AGAIN: 8,
  SHORT_TEXT: 9,
  LIST: 10,
  FLOATS: 11,
  INTS: 12,
  RUN: 13,
  TUPLE: 14,
  SET: 15,
  FROZENSET: 16,
  DICT: 17,
  NEW_DICT: 18,
  OBJECT: 19,
  MAP: 20,
  AGAIN: 21,
  BYTES: 22,
  BYTEARRAY: 23,
  BUFFER: 24,
  BYTE_BUFFER: 25,
  VIEW: 26,
} as const;

export const TAG_MASK = 31;
/** It is referred to again. */
export const KEPT = 32;
/** It is referred to inside itself, so it must exist before its parts. */
export const OPEN = 64;

/** Levels; deeper values are streams. */
export const DEEPEST = 80;
export const MAX_KEYS = 64;
export const SHAPES = 512;
/** Longer bytes are buffers beside the message. */
export const INLINE_BYTES = 512;
/** Memory that a message of unusual size needed is given back above this many slots. */
export const KEPT_SLOTS = 1 << 20;
