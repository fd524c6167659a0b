/** Wheels made for a test: a zip with nothing compressed, so that a byte can be changed on purpose. */
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";

export interface MadeWheel {
  /** `alpha-1.0-py3-none-any.whl` */
  readonly file: string;
  readonly name: string;
  readonly version: string;
  readonly bytes: Buffer;
  readonly sha256: string;
}

export interface WheelParts {
  readonly tags?: string;
  /** `Requires-Dist` lines. */
  readonly requires?: readonly string[];
  readonly headers?: readonly string[];
  /** Beside the module of its name, which has `version`. */
  readonly files?: Readonly<Record<string, string>>;
}

/** A wheel with one module: `alpha.version` is `"1.0"`. */
export function makeWheel(
  name: string,
  version: string,
  { tags = "py3-none-any", requires = [], headers = [], files = {} }: WheelParts = {},
): MadeWheel {
  const module = name.replaceAll("-", "_");
  const info = `${module}-${version}.dist-info`;
  const metadata = [
    "Metadata-Version: 2.1",
    `Name: ${name}`,
    `Version: ${version}`,
    ...requires.map((one) => `Requires-Dist: ${one}`),
    ...headers,
  ];
  const bytes = zip({
    [`${module}/__init__.py`]: `version = ${JSON.stringify(version)}\n`,
    ...files,
    [`${info}/METADATA`]: `${metadata.join("\n")}\n\n`,
    [`${info}/WHEEL`]: `Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: ${tags}\n`,
    [`${info}/RECORD`]: "",
  });
  return { file: `${module}-${version}-${tags}.whl`, name, version, bytes, sha256: sha256(bytes) };
}

export const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** The same bytes but one: in the content of the first file that holds this text. */
export function damaged(bytes: Buffer, text: string): Buffer {
  const copy = Buffer.from(bytes);
  const at = copy.indexOf(text);
  if (at < 0) throw new Error(`There is no ${text} in it.`);
  copy.writeUInt8((copy[at] ?? 0) ^ 1, at);
  return copy;
}

function zip(files: Readonly<Record<string, string>>): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, text] of Object.entries(files)) {
    const path = Buffer.from(name);
    const data = Buffer.from(text);
    const fields = Buffer.alloc(26); // version, flags, method, time, date, CRC, sizes, lengths
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(0x21, 8);
    fields.writeUInt32LE(crc32(data), 10);
    fields.writeUInt32LE(data.length, 14);
    fields.writeUInt32LE(data.length, 18);
    fields.writeUInt16LE(path.length, 22);
    const local = Buffer.concat([Buffer.from("PK\x03\x04", "latin1"), fields, path, data]);
    const central = Buffer.alloc(14);
    central.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([Buffer.from("PK\x01\x02\x14\x00", "latin1"), fields, central, path]));
    parts.push(local);
    offset += local.length;
  }
  const index = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", "latin1");
  end.writeUInt16LE(parts.length, 8);
  end.writeUInt16LE(parts.length, 10);
  end.writeUInt32LE(index.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, index, end]);
}
