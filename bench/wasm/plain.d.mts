type Port = Pick<MessagePort, "postMessage"> | import("node:worker_threads").MessagePort;
export function rawClient(port: Port): (method: string, ...args: unknown[]) => Promise<unknown>;
