/** A package index on this machine (PEP 691), and what can go wrong with one. */
import { readFileSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Lock } from "isopy";
import { inWheels } from "./real-wheels.ts";
import type { MadeWheel } from "./wheels.ts";

export interface Published {
  readonly file: string;
  readonly bytes: Buffer;
  readonly sha256?: string;
  /** `requires-python` */
  readonly python?: string;
  readonly yanked?: string;
}

export interface PackageIndex {
  /** What `index` is given. */
  readonly url: string;
  /** Paths that were asked for, in order. */
  readonly asked: string[];
  /** Puts wheels into a project; the same file again replaces it. */
  publish(name: string, ...files: readonly Published[]): void;
  add(...wheels: readonly MadeWheel[]): void;
  /** The wheels of a lock, from the folder of real ones. */
  addLocked(lock: Lock, wanted?: (name: string) => boolean): void;
  /** Answers this path itself, until the promise that it may return is done; undefined takes it back. */
  instead(path: string, answer: ((response: ServerResponse) => void) | undefined): void;
  close(): Promise<void>;
}

export async function startIndex(): Promise<PackageIndex> {
  const projects = new Map<string, Map<string, Published>>();
  const answers = new Map<string, (response: ServerResponse) => void>();
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname);
    asked.push(path);
    response.setHeader("Access-Control-Allow-Origin", "*");
    const own = answers.get(path);
    if (own !== undefined) return own(response);
    const [, area = "", name = "", file = ""] = path.split("/");
    const project = projects.get(area === "simple" ? name : "");
    const page = area === "simple" && file === "" ? projects.get(name) : undefined;
    if (page !== undefined) {
      const files = [...page.values()].map(({ file, bytes, sha256, python, yanked }) => ({
        filename: file,
        url: `../../files/${name}/${file}`,
        hashes: sha256 === undefined ? {} : { sha256 },
        size: bytes.length,
        ...(python === undefined ? {} : { "requires-python": python }),
        ...(yanked === undefined ? {} : { yanked }),
      }));
      const versions = [...new Set(files.map((one) => one.filename.split("-")[1]))];
      const body = JSON.stringify({ meta: { "api-version": "1.1" }, name, versions, files });
      return response.setHeader("content-type", "application/vnd.pypi.simple.v1+json").end(body);
    }
    const wheel = area === "files" ? projects.get(name)?.get(file) : project?.get(file);
    if (wheel === undefined) return response.writeHead(404, { "content-type": "text/plain" }).end("nothing here");
    return response.setHeader("content-type", "application/octet-stream").end(wheel.bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const publish: PackageIndex["publish"] = (name, ...files) => {
    const project = projects.get(name) ?? new Map<string, Published>();
    projects.set(name, project);
    for (const one of files) project.set(one.file, one);
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/simple`,
    asked,
    publish,
    add: (...wheels) => wheels.forEach((wheel) => publish(wheel.name, wheel)),
    addLocked(lock, wanted = () => true) {
      for (const { name, file, sha256 } of lock.packages)
        if (wanted(name)) publish(name, { file, sha256, bytes: readFileSync(inWheels(file)) });
    },
    instead: (path, answer) => void (answer === undefined ? answers.delete(path) : answers.set(path, answer)),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
