/**
 * What a platform lets us read: files by URL. Nothing is thrown for what does not come; it is said.
 */
import type { FailureCause } from "../core/packages.ts";

/** Why something did not come. */
export interface Missed {
  readonly cause: FailureCause;
  readonly message: string;
  readonly url: string;
  readonly status?: number;
  /** Bytes that came. */
  readonly size?: number;
}

export interface Received {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Where it came from in the end. */
  readonly url: string;
}

export interface Reading {
  /** What is wanted: a media type. Not given: any; a page of HTML is none of them. */
  readonly accept?: string;
  /** Past every cache, where a broken copy may lie. */
  readonly again?: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onBytes?: (loaded: number, total: number | undefined) => void;
}

export interface Reach {
  /** The URL of a place as users write it. Throws a TypeError for what is none. */
  locate(place: string | URL): URL;
  read(url: string, how: Reading): Promise<Received | Missed>;
}

export const missed = (found: object): found is Missed => "cause" in found;

/** Over HTTP, with `fetch`. */
export async function readHttp(url: string, { accept, again, signal, onBytes }: Reading): Promise<Received | Missed> {
  let response: Response;
  try {
    response = await fetch(url, {
      cache: again ? "reload" : "default",
      signal: signal ?? null,
      ...(accept === undefined ? {} : { headers: { accept } }),
    });
  } catch (error) {
    return { cause: "network", message: `${url} could not be reached: ${reason(error)}`, url };
  }
  const { status } = response;
  const type = response.headers.get("content-type") ?? "";
  const said = `${url} answered ${status} ${type}`.trimEnd();
  const { bytes, error } = await bodyOf(response, onBytes);
  const size = bytes.length;
  if (!response.ok) {
    const cause = status === 404 || status === 410 ? "not-found" : "http";
    return { cause, message: `${said} (${size} bytes)`, url, status, size };
  }
  if (error !== undefined)
    return { cause: "truncated", message: `${url} broke off after ${size} bytes: ${reason(error)}`, url, status, size };
  // Some servers call every file HTML that they do not know; an archive's first bytes say more.
  const archive = bytes[0] === 0x50 && bytes[1] === 0x4b;
  if (type.startsWith("text/html") && !archive)
    return { cause: "html", message: `${said}: a page in its place (${size} bytes)`, url, status, size };
  return { bytes, url: response.url || url };
}

/** What comes, and the error that ended it early. */
async function bodyOf(response: Response, onBytes: Reading["onBytes"]): Promise<{ bytes: Uint8Array<ArrayBuffer>; error?: unknown }> {
  const parts: Uint8Array[] = [];
  let loaded = 0;
  // It counts what is on the wire, which is more or less than what comes out when that is compressed.
  const length = response.headers.has("content-encoding") ? undefined : Number(response.headers.get("content-length") ?? Number.NaN);
  const total = Number.isFinite(length) ? length : undefined;
  let error: unknown;
  try {
    const reader = response.body?.getReader();
    for (let step = await reader?.read(); step !== undefined && !step.done; step = await reader?.read()) {
      parts.push(step.value);
      loaded += step.value.length;
      onBytes?.(loaded, total);
    }
  } catch (caught) {
    error = caught;
  }
  const bytes = new Uint8Array(loaded);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return error === undefined ? { bytes } : { bytes, error };
}

/** `fetch` of Node hides what happened in the cause. */
function reason(error: unknown): string {
  const { cause } = error as { readonly cause?: unknown };
  return cause instanceof Error ? `${cause.message || (cause as { readonly code?: unknown }).code}` : String(error);
}
