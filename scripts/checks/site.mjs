/** A folder as a website on 127.0.0.1, with the headers that a check wants, and a record of what was asked and blocked. */
import fs from "node:fs";
import http from "node:http";
import path from "node:path";

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
  ".zip": "application/zip",
  ".json": "application/json",
};

/** Where browsers report what a policy blocked, in pages and in workers. */
const REPORTS = "/csp-report";

/**
 * @param {string} folder
 * @param {{ base?: string, csp?: string, isolated?: boolean }} [options]  `base`: the path that the folder is served under.
 * @returns {Promise<{ origin: string, url: string, asked: string[], reports: string[], csp: string | undefined, close(): void }>}
 */
export async function site(folder, { base = "/", csp, isolated = false } = {}) {
  const asked = [];
  const reports = [];
  const policy = csp === undefined ? undefined : `${csp}; report-uri ${REPORTS}`;
  const server = http.createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://site");
    if (pathname === REPORTS) {
      let text = "";
      request.on("data", (chunk) => {
        text += chunk;
      });
      request.on("end", () => {
        reports.push(text);
        response.writeHead(204).end();
      });
      return;
    }
    asked.push(pathname);
    if (policy !== undefined) response.setHeader("Content-Security-Policy", policy);
    if (isolated) {
      response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
      response.setHeader("Cross-Origin-Embedder-Policy", "require-corp");
    }
    const name = pathname.startsWith(base) ? decodeURIComponent(pathname.slice(base.length)) : undefined;
    const file = name === undefined ? folder : path.join(folder, path.normalize(`/${name}`.replace(/\/$/, "/index.html")));
    if (!file.startsWith(folder + path.sep) || !fs.statSync(file, { throwIfNoEntry: false })?.isFile()) {
      response.writeHead(404, { "content-type": "text/plain" }).end("nothing here");
      return;
    }
    response.writeHead(200, { "content-type": TYPES[path.extname(file)] ?? "application/octet-stream" });
    fs.createReadStream(file).pipe(response);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${server.address().port}`;
  return {
    origin,
    url: origin + base,
    asked,
    reports,
    csp: policy,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
