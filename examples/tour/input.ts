/**
 * The tour's input: sources of standard library modules, as text.
 *
 * Read from the engine with the oldest Python that has its sources (every newer one can parse them).
 */
import type { Python } from "isopy";

export type Sources = Readonly<Record<string, string>>;

const MODULES = [
  "argparse",
  "ast",
  "bisect",
  "calendar",
  "codecs",
  "configparser",
  "contextlib",
  "copy",
  "csv",
  "dataclasses",
  "datetime",
  "difflib",
  "enum",
  "fnmatch",
  "fractions",
  "functools",
  "getopt",
  "glob",
  "gzip",
  "heapq",
  "hmac",
  "inspect",
  "ipaddress",
  "json.decoder",
  "json.encoder",
  "linecache",
  "numbers",
  "operator",
  "pathlib",
  "pickle",
  "posixpath",
  "pprint",
  "queue",
  "random",
  "sched",
  "shlex",
  "shutil",
  "statistics",
  "string",
  "tarfile",
  "tempfile",
  "textwrap",
  "threading",
  "tokenize",
  "traceback",
  "types",
  "typing",
  "uuid",
  "warnings",
  "weakref",
  "zipfile",
];

const READ = `
def read_sources(names):
    import importlib.util
    found = {}
    for name in names:
        spec = importlib.util.find_spec(name)
        text = spec and hasattr(spec.loader, "get_source") and spec.loader.get_source(name)
        if text:
            found[name] = text
    return found
`;

/** @throws Error when no engine has sources. */
export async function readSources(engines: readonly Python[]): Promise<Sources> {
  const oldestFirst = [...engines].sort((a, b) => minor(a) - minor(b));
  for (const py of oldestFirst) {
    await py.exec(READ);
    const sources = (await py.eval("read_sources(names)", { locals: { names: MODULES } })) as Sources;
    if (Object.keys(sources).length > 0) return sources;
  }
  throw new Error("No engine here has the sources of its standard library.");
}

const minor = (py: Python) => Number(py.info.python.split(".")[1]);
