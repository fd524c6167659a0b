/** What the plugin for Vite adds to a configuration; `npm test -- bundlers` runs it in Vite. */
import type { Plugin, UserConfig } from "vite";
import { describe, expect, it } from "vitest";
import isopy, { type IsopyOptions } from "../../src/vite.ts";

function added(options: IsopyOptions | undefined, user: UserConfig = {}): UserConfig {
  const { config } = isopy(options) as Plugin & { config(user: UserConfig): UserConfig };
  return config(user);
}

const isolated = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

describe("isopy/vite", () => {
  it("isolates the pages of both servers, and keeps the package out of the pre-bundling", () => {
    expect(added(undefined)).toEqual({
      optimizeDeps: { exclude: ["isopy"] },
      server: { headers: isolated },
      preview: { headers: isolated },
    });
  });

  it("adds no header where it is told so", () => {
    expect(added({ isolate: false }).server?.headers).toEqual({});
  });

  it("leaves the application's own headers as they are", () => {
    const own = { "Cross-Origin-Embedder-Policy": "credentialless", "X-Own": "1" };
    expect(added({}, { server: { headers: own } }).server?.headers).toEqual({ ...isolated, ...own });
  });

  it("refuses an option that it does not know, and says which one was meant", () => {
    // @ts-expect-error: options are typed
    expect(() => isopy({ isolated: false })).toThrow(/unknown option "isolated".*"isolate"/);
    // @ts-expect-error: options are typed
    expect(() => isopy({ isolate: "no" })).toThrow(/"isolate" is not/);
  });
});
