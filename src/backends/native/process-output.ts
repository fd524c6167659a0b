/** Where Python's output goes in Node when the options do not say: where the process's own goes. */
import type { Sinks } from "../../core/events.ts";

export const processOutput: Sinks = {
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
};
