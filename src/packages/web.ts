/** Packages in a page. */
import type { Engine } from "../core/engine.ts";
import type { Packages } from "../core/packages.ts";
import { WasmPackages } from "./install.ts";
import { type Reach, readHttp } from "./reach.ts";

const reach: Reach = {
  locate: (place) => new URL(place, globalThis.document?.baseURI ?? globalThis.location.href),
  async read(url, how) {
    if (!url.startsWith("file:")) return readHttp(url, how);
    return { cause: "network", message: `${url}: a page cannot read files; serve it beside the page.`, url };
  },
};

export const openPackages = (engine: Engine): Packages => new WasmPackages(engine, reach);
