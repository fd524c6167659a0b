/** `node serve.mjs dev` or `preview`: prints the URL, serves until it is ended. */
import { createServer, preview } from "vite";

const options = { root: import.meta.dirname, logLevel: "error" };
const address = { host: "127.0.0.1", port: 0 };
const server =
  process.argv[2] === "dev"
    ? await (await createServer({ ...options, server: address })).listen()
    : await preview({ ...options, preview: address });
console.log(`http://127.0.0.1:${server.httpServer.address().port}${server.config.base}`);
