/**
 * UTF-8 with lone surrogates passed through, as Python's `surrogatepass` has it.
 *
 * TextEncoder replaces a lone surrogate and a fatal TextDecoder refuses it, so both directions are
 * also written here, for the strings that need it. Reading is strict: overlong forms, stray or
 * missing continuation bytes and code points above U+10FFFF are not text.
 */

const LONE = /\p{Surrogate}/u;

interface WellFormedString {
  isWellFormed?(): boolean;
}

/** Whether a string has no lone surrogate. */
export function wellFormed(text: string): boolean {
  return (text as WellFormedString).isWellFormed?.() ?? !LONE.test(text);
}

/** Writes `text` from code unit `from` on; returns the position after the last byte. There must be room for 3 bytes a unit. */
export function writeUtf8(text: string, from: number, out: Uint8Array, at: number): number {
  for (let i = from; i < text.length; i++) {
    let code = text.charCodeAt(i);
    if (code < 0x80) {
      out[at++] = code;
      continue;
    }
    if (code < 0x800) {
      out[at++] = 0xc0 | (code >> 6);
      out[at++] = 0x80 | (code & 0x3f);
      continue;
    }
    if ((code & 0xfc00) === 0xd800) {
      const next = text.charCodeAt(i + 1);
      if ((next & 0xfc00) === 0xdc00) {
        i++;
        code = 0x10000 + ((code & 0x3ff) << 10) + (next & 0x3ff);
        out[at++] = 0xf0 | (code >> 18);
        out[at++] = 0x80 | ((code >> 12) & 0x3f);
        out[at++] = 0x80 | ((code >> 6) & 0x3f);
        out[at++] = 0x80 | (code & 0x3f);
        continue;
      }
    }
    out[at++] = 0xe0 | (code >> 12);
    out[at++] = 0x80 | ((code >> 6) & 0x3f);
    out[at++] = 0x80 | (code & 0x3f);
  }
  return at;
}

/** Reads UTF-8 that may hold surrogates; undefined when it is not even that. */
export function readUtf8(bytes: Uint8Array, from: number, to: number): string | undefined {
  let text = "";
  const units: number[] = [];
  for (let i = from; i < to; ) {
    const lead = bytes[i++] as number;
    let code = lead;
    if (lead >= 0x80) {
      const extra = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
      if (lead < 0xc2 || lead > 0xf4 || i + extra > to) return undefined;
      code = lead & (0x3f >> extra);
      for (let n = 0; n < extra; n++) {
        const byte = bytes[i++] as number;
        if ((byte & 0xc0) !== 0x80) return undefined;
        code = (code << 6) | (byte & 0x3f);
      }
      if (code > 0x10ffff || (extra === 2 && code < 0x800) || (extra === 3 && code < 0x10000)) return undefined;
    }
    if (code > 0xffff) units.push(0xd800 + ((code - 0x10000) >> 10), 0xdc00 + (code & 0x3ff));
    else units.push(code);
    if (units.length > 4000) {
      text += String.fromCharCode.apply(null, units);
      units.length = 0;
    }
  }
  return text + String.fromCharCode.apply(null, units);
}
