/**
 * The probe that looks at this machine: environment variables, files, PATH, and what an executable
 * says about itself. Asking costs a Python start (tens of milliseconds), so answers are kept.
 */
import { accessSync, constants, readdirSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import type { Probe } from "./choose.ts";
import { rememberDescription } from "./probe-cache.ts";
import type { Described, PythonFacts } from "./python.ts";

/** An executable that does not answer within this many milliseconds is none. */
const PATIENCE = 15_000;
const windows = process.platform === "win32";

/**
 * Run by the candidate. The library that it has mapped is the right one; a static executable has
 * none, and the places where its distribution may have put one are searched.
 */
export const QUESTION = `
import json, os, struct, sys, sysconfig
var = sysconfig.get_config_var
version = "%d.%d" % sys.version_info[:2]
library, searched = None, []
try:
    with open("/proc/self/maps") as maps:
        for line in maps:
            path = line.split(None, 5)[-1].strip()
            if "/libpython%s" % version in path and not path.endswith("(deleted)"):
                library = path
                break
except OSError:
    pass
if library is None:
    names = [var("INSTSONAME"), var("LDLIBRARY")]
    suffix = ".dylib" if sys.platform == "darwin" else ".so"
    for flags in dict.fromkeys([getattr(sys, "abiflags", ""), ""]):
        names += ["libpython%s%s%s" % (version, flags, end) for end in (suffix, suffix + ".1.0")]
    names = [name for name in dict.fromkeys(names) if name and not name.endswith(".a")]
    root, home = sys.base_prefix, os.path.dirname(os.path.dirname(os.path.realpath(sys.executable)))
    folders = [var("LIBDIR"), os.path.join(root, "lib"), os.path.join(root, getattr(sys, "platlibdir", "lib")),
               os.path.join(home, "lib"), os.path.join(root, "lib64"), var("LIBPL"), var("PYTHONFRAMEWORKPREFIX")]
    multiarch = var("MULTIARCH")
    if multiarch:
        folders += [os.path.join(root, "lib", multiarch), os.path.join("/usr/lib", multiarch)]
    for folder in dict.fromkeys(f for f in folders if f):
        for name in names:
            path = os.path.join(folder, name)
            searched.append(path)
            if library is None and os.path.isfile(path):
                library = path
print(json.dumps({
    "version": "%d.%d.%d" % sys.version_info[:3], "implementation": sys.implementation.name,
    "executable": sys.executable, "prefix": sys.prefix, "basePrefix": sys.base_prefix,
    "bits": struct.calcsize("P") * 8, "debug": hasattr(sys, "gettotalrefcount"),
    "freeThreaded": bool(var("Py_GIL_DISABLED")), "library": library, "searched": searched,
}))
`;

export function nodeProbe(cwd: string = process.cwd()): Probe {
  const described = new Map<string, Described>();
  return {
    env: (name) => process.env[name],
    findUp: (name) => findUp(cwd, name),
    which,
    isDirectory,
    executableIn: (directory) => executableIn(resolve(cwd, directory)),
    versions: (version) => installed(version),
    describe(executable) {
      const path = resolve(cwd, executable);
      let known = described.get(path);
      if (known === undefined) {
        known = rememberDescription(path, QUESTION, () => ask(path));
        described.set(path, known);
      }
      return known;
    },
  };
}

function ask(executable: string): Described {
  if (!isExecutable(executable)) return { ok: false, reason: "there is no executable file at this path" };
  // Loaded when something has to be asked (2 ms).
  const { spawnSync } = createRequire(import.meta.url)("node:child_process") as typeof import("node:child_process");
  const { status, signal, stdout, stderr, error } = spawnSync(executable, ["-I", "-c", QUESTION], {
    encoding: "utf8",
    timeout: PATIENCE,
    stdio: ["ignore", "pipe", "pipe"],
    windowsHide: true,
  });
  if (error !== undefined) return { ok: false, reason: `it could not be run: ${error.message}` };
  if (status !== 0) {
    const last = stderr.trim().split("\n").at(-1) ?? "";
    const said = last.length > 200 ? `${last.slice(0, 200)}…` : last; // a program that is no Python may repeat the whole question
    return { ok: false, reason: `it ended with ${signal ?? `exit code ${status}`}${said === "" ? "" : `: ${said}`}` };
  }
  try {
    return { ok: true, facts: JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as PythonFacts };
  } catch {
    return { ok: false, reason: `it is no Python: it answered ${JSON.stringify(stdout.slice(0, 80))}` };
  }
}

function findUp(from: string, name: string): string | undefined {
  for (let directory = resolve(from); ; ) {
    const path = join(directory, name);
    if (isDirectory(path)) return path;
    const parent = dirname(directory);
    if (parent === directory) return undefined;
    directory = parent;
  }
}

function which(command: string): string | undefined {
  for (const directory of (process.env["PATH"] ?? "").split(delimiter)) {
    if (directory === "") continue;
    const path = join(directory, windows ? `${command}.exe` : command);
    if (isExecutable(path)) return path;
  }
  return undefined;
}

function executableIn(directory: string): string | undefined {
  const names = windows ? ["Scripts/python.exe", "python.exe"] : ["bin/python", "bin/python3"];
  return names.map((name) => join(directory, name)).find(isExecutable);
}

/** Executables that may be this version: PATH, pyenv, the system's. */
function installed(version: string): readonly string[] {
  const minor = version.split(".").slice(0, 2).join(".");
  const found = [which(`python${minor}`), ...pyenvVersions((name) => name === version || name.startsWith(`${version}.`))];
  found.push(`/usr/bin/python${minor}`, `/usr/local/bin/python${minor}`, which("python3"));
  return [...new Set(found.filter((path): path is string => path !== undefined && isExecutable(path)))];
}

/** Newest first. */
function pyenvVersions(wanted: (name: string) => boolean): string[] {
  const root = join(process.env["PYENV_ROOT"] ?? join(homedir(), ".pyenv"), "versions");
  if (!isDirectory(root)) return [];
  const names = readdirSync(root).filter((name) => /^\d/.test(name) && wanted(name));
  names.sort((a, b) => b.localeCompare(a, "en", { numeric: true }));
  return names.flatMap((name) => executableIn(join(root, name)) ?? []);
}

/** Every Python of this machine that can be found without searching the disk: PATH, pyenv, the system's. */
export function listPythons(): readonly string[] {
  const found = [which("python3"), which("python"), ...pyenvVersions((name) => name.startsWith("3."))];
  for (let minor = 9; minor <= 20; minor++) found.push(which(`python3.${minor}`), `/usr/bin/python3.${minor}`);
  found.push("/usr/bin/python3");
  return [...new Set(found.filter((path): path is string => path !== undefined && isExecutable(path)))];
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function isExecutable(path: string): boolean {
  if (!(statSync(path, { throwIfNoEntry: false })?.isFile() ?? false)) return false;
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // that is the answer
  }
}
