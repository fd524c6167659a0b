/**
 * Runs another program and tells how it went; never through a shell, never silently.
 *
 * A program that does not exist is an ordinary outcome (`code` is null and `error` says so), because
 * set-up has to say what is missing instead of failing with a stack trace.
 */
import { spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { ROOT } from "./paths.mjs";

/**
 * @typedef {object} Outcome
 * @property {number | null} code      Exit code; null when it did not start or was ended by a signal.
 * @property {string | null} signal
 * @property {string} stdout
 * @property {string} stderr
 * @property {string} output           Both, in the order of arrival.
 * @property {Error | undefined} error Why it did not start, or that it ran out of time.
 */

/**
 * Runs a program to its end.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: Record<string, string | undefined>, timeout?: number, show?: boolean, input?: string }} [options]
 *   `timeout` in milliseconds (the program is killed then); `show` also copies its output to ours.
 * @returns {Promise<Outcome>}
 */
export function exec(command, args, options = {}) {
  return new Promise((resolve) => {
    const env = { ...process.env, ...options.env };
    for (const [key, value] of Object.entries(env)) if (value === undefined) delete env[key];
    const child = spawn(command, args, {
      cwd: options.cwd ?? ROOT,
      env,
      stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    });
    const outcome = { code: null, signal: null, stdout: "", stderr: "", output: "", error: undefined };
    const timer = options.timeout
      ? setTimeout(() => {
          outcome.error = new Error(`${path.basename(command)} did not end within ${options.timeout} ms`);
          child.kill("SIGKILL");
        }, options.timeout)
      : undefined;
    for (const stream of /** @type {const} */ (["stdout", "stderr"])) {
      child[stream].setEncoding("utf8");
      child[stream].on("data", (text) => {
        outcome[stream] += text;
        outcome.output += text;
        if (options.show) process[stream].write(text);
      });
    }
    if (options.input !== undefined) child.stdin.end(options.input);
    child.on("error", (error) => {
      outcome.error = error;
      clearTimeout(timer);
      resolve(outcome);
    });
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      outcome.code = code;
      outcome.signal = signal;
      resolve(outcome);
    });
  });
}

/** True when a program runs and says so with exit code 0. */
export function answers(command, args = ["--version"]) {
  return spawnSync(command, args, { stdio: "ignore", timeout: 20_000 }).status === 0;
}

/** The first of these names that PATH has, as an absolute path. */
export function which(...names) {
  for (const name of names) {
    if (name === undefined || name === "") continue;
    if (path.isAbsolute(name)) {
      if (isExecutable(name)) return name;
      continue;
    }
    for (const folder of (process.env.PATH ?? "").split(path.delimiter)) {
      for (const suffix of process.platform === "win32" ? [".exe", ".cmd", ""] : [""]) {
        const file = path.join(folder, name + suffix);
        if (folder !== "" && isExecutable(file)) return file;
      }
    }
  }
  return undefined;
}

function isExecutable(file) {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false; // absent or not ours to run: both mean "not this one"
  }
}

/** The npm that belongs to this Node, as a command and its first arguments. */
export function npmCommand() {
  const script = process.env.npm_execpath;
  if (script?.endsWith(".js") || script?.endsWith(".cjs")) return [process.execPath, script];
  return [which("npm") ?? "npm"];
}

/** @param {readonly string[]} args @param {Parameters<typeof exec>[2]} [options] */
export function npm(args, options) {
  const [command, ...first] = npmCommand();
  return exec(command, [...first, ...args], options);
}

/** The JSON object that a program printed as its last line; undefined when it printed none. */
export function reported(outcome) {
  const line = outcome.stdout.trim().split("\n").at(-1) ?? "";
  return line.startsWith("{") ? JSON.parse(line) : undefined;
}

/** The last lines of what a program wrote: what a person needs to see when it failed. */
export function tail(outcome, lines = 12) {
  const text = outcome.output.trim().split("\n").slice(-lines).join("\n");
  return [outcome.error?.message, text].filter(Boolean).join("\n");
}
