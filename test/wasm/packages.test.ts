/** `py.packages` in Node: from an index, from a lock, from files, and all that can be wrong with each. */
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { createPython, EngineError, type InstallOptions, PackageError, type PackageProgress, type Python } from "isopy";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type PackageIndex, startIndex } from "../support/package-index.ts";
import { heavyweight, needWheels, realLock, WHEELS } from "../support/real-wheels.ts";
import { damaged, makeWheel } from "../support/wheels.ts";

const lock = realLock();
const start = () => createPython({ backend: "wasm" });
const failure = async (installing: Promise<unknown>): Promise<PackageError> => {
  const outcome = await installing.then(
    (report) => report,
    (error: unknown) => error,
  );
  expect(outcome).toBeInstanceOf(PackageError);
  return outcome as PackageError;
};
const named = (packages: readonly { readonly name: string; readonly version: string }[]) =>
  packages.map(({ name, version }) => `${name} ${version}`);

let py: Python;
let index: PackageIndex;
let folder: string;
/** From the index of this file. */
const options = (more: InstallOptions = {}): InstallOptions => ({ index: index.url, ...more });
const version = (module: string) => py.import(module).version;
/** Everything that is installed, down to the files. */
const files = () => py.eval("sorted(str(path) for path in __import__('pathlib').Path('/lib/python3.14/site-packages').rglob('*'))");

/** What nobody caught, or Python complained about. */
const noise: unknown[] = [];

beforeAll(async () => {
  py = await createPython({ backend: "wasm", stderr: (text) => noise.push(text), onUnhandled: (error) => noise.push(error) });
  index = await startIndex();
  index.addLocked(lock);
  folder = await mkdtemp(join(tmpdir(), "isopy-packages-"));
});
afterAll(async () => {
  await Promise.all([py.close(), index.close(), rm(folder, { recursive: true, force: true })]);
});
beforeEach(needWheels);
beforeEach(() => void (index.asked.length = 0));

describe("a name", () => {
  it("is installed with what it needs, and the report says what, in which version, from where", async () => {
    const base = makeWheel("base-one", "2.1");
    const top = makeWheel("top-one", "1.0", {
      requires: ["base_one>=2; sys_platform == 'emscripten'", "never-asked; sys_platform == 'win32'", "never-asked; extra == 'x'"],
    });
    index.add(base, top, makeWheel("base-one", "1.9"));
    const news: PackageProgress[] = [];
    const report = await py.packages.install("top-one", options({ onProgress: (one) => news.push(one) }));
    expect(report.present).toEqual([]);
    expect(report.installed.filter(({ name }) => name !== "micropip")).toEqual([
      {
        name: "base-one",
        version: "2.1",
        file: base.file,
        sha256: base.sha256,
        size: base.bytes.length,
        url: `${new URL("/files/base-one/", index.url)}${base.file}`,
        imports: ["base_one"],
      },
      expect.objectContaining({ name: "top-one", version: "1.0", sha256: top.sha256 }),
    ]);
    expect(await version("base_one")).toBe("2.1");
    expect(news).toContainEqual({ stage: "index", name: "top-one" });
    expect(news).toContainEqual({ stage: "download", name: top.file, loaded: top.bytes.length, total: top.bytes.length });
    expect(news.at(-1)).toEqual({ stage: "install", name: "top-one 1.0" });
    expect(index.asked).not.toContain("/simple/never-asked/");
    const again = await py.packages.install(["top-one>=1", "base-one"], options());
    expect(again).toEqual({
      installed: [],
      present: [
        { name: "top-one", version: "1.0" },
        { name: "base-one", version: "2.1" },
      ],
    });
  });

  it("takes the newest version that this Python can use and that was not taken back", async () => {
    const many = ["1.0", "1.2", "1.3", "1.4"].map((one) => makeWheel("many", one));
    const [one, two, three, four] = many as [(typeof many)[0], (typeof many)[0], (typeof many)[0], (typeof many)[0]];
    const compiled = makeWheel("many", "1.5", { tags: "cp314-cp314-manylinux_2_28_x86_64" });
    index.publish("many", one, two, { ...three, yanked: "a bad one" }, { ...four, python: ">=3.99" }, compiled);
    expect(named((await py.packages.install("many>1", options())).installed)).toEqual(["many 1.2"]);
  });

  it("requirements that are installed together bound each other's needs", async () => {
    index.add(makeWheel("shared", "1.0"), makeWheel("shared", "2.0"), makeWheel("wants-shared", "1.0", { requires: ["shared"] }));
    const report = await py.packages.install(["wants-shared", "shared<2"], options());
    expect(named(report.installed)).toEqual(["shared 1.0", "wants-shared 1.0"]);
  });

  it("with extras, at a URL, or with a condition, is what pip makes of it", async () => {
    const [fast, direct] = [makeWheel("fast-part", "1.0"), makeWheel("direct", "1.0")];
    const whole = makeWheel("with-extra", "1.0", { requires: ["fast-part; extra == 'fast'"], headers: ["Provides-Extra: fast"] });
    index.add(fast, direct, whole);
    const url = new URL(`/files/direct/${direct.file}`, index.url);
    const { installed, present } = await py.packages.install(
      ["with-extra[fast]", `direct @ ${url}`, "not-here; sys_platform == 'win32'"],
      options(),
    );
    expect(named(installed)).toEqual(["fast-part 1.0", "with-extra 1.0", "direct 1.0"]);
    expect(present).toEqual([]);
  });
});

describe("what fails", () => {
  it("[W-19] is named, one by one, and the good ones are usable", async () => {
    index.add(
      makeWheel("good-one", "1.0"),
      makeWheel("good-two", "1.0"),
      makeWheel("bad-need", "1.0", { requires: ["nowhere-to-be-found"] }),
    );
    const error = await failure(py.packages.install(["good-one", "no-such-thing", "good-two", "bad-need", "not a name!"], options()));
    expect(error).toBeInstanceOf(EngineError);
    expect(error).toMatchObject({ name: "PackageError", code: "ERR_PACKAGE" });
    expect(error.failures).toEqual([
      expect.objectContaining({ requirement: "no-such-thing", name: "no-such-thing", cause: "not-found", status: 404 }),
      expect.objectContaining({ requirement: "bad-need", name: "nowhere-to-be-found", cause: "not-found" }),
      expect.objectContaining({ requirement: "not a name!", cause: "invalid" }),
    ]);
    expect(error.message).toContain("no-such-thing: there is no no-such-thing on");
    expect(named(error.installed)).toEqual(["good-one 1.0", "good-two 1.0"]);
    expect([await version("good_one"), await version("good_two")]).toEqual(["1.0", "1.0"]);
    expect(await py.packages.missing("import bad_need")).toEqual(["bad_need"]);
  });

  it("[W-20] does not stand in the way of a later attempt", async () => {
    const late = makeWheel("late", "1.0");
    const path = `/files/late/${late.file}`;
    index.add(late);
    index.instead(path, (response) => void response.writeHead(503, { "content-type": "text/plain" }).end("busy"));
    const { failures } = await failure(py.packages.install("late", options()));
    expect(failures).toMatchObject([{ cause: "http", status: 503, size: 4, url: new URL(path, index.url).href }]);
    index.instead(path, undefined);
    await py.packages.install("late", options());
    expect(await version("late")).toBe("1.0");
  });

  it("a package without a wheel for this platform says so", async () => {
    index.publish("only-linux", makeWheel("only-linux", "1.0", { tags: "cp314-cp314-manylinux_2_28_x86_64" }));
    index.publish("old-python", makeWheel("old-python", "1.0", { tags: "cp312-cp312-pyemscripten_2024_0_wasm32" }));
    index.add(makeWheel("small", "1.0"));
    const error = await failure(py.packages.install(["only-linux", "old-python", "small>=2"], options()));
    expect(error.failures.map(({ cause }) => cause)).toEqual(["no-wheel", "no-wheel", "no-wheel"]);
    expect(error.message).toContain("pyemscripten_2026_0_wasm32");
    expect(error.message).toContain("pyemscripten_2024_0_wasm32");
    expect(error.message).toContain("there are 1.0");
    expect(error.hint).toContain("PEP 783");
  });

  it("another version of what is there is refused, and what is there stays", async () => {
    index.add(makeWheel("stays", "2.0"), makeWheel("stays", "1.0"), makeWheel("wants-old", "1.0", { requires: ["stays<2"] }));
    await py.packages.install("stays", options());
    const error = await failure(py.packages.install(["stays==1.0", "wants-old"], options()));
    expect(error.failures).toMatchObject([
      { requirement: "stays==1.0", cause: "conflict", name: "stays" },
      { requirement: "wants-old", cause: "conflict", name: "stays" },
    ]);
    expect(await version("stays")).toBe("2.0");
    const older = makeWheel("stays", "1.5");
    await writeFile(join(folder, older.file), older.bytes);
    expect((await failure(py.packages.install(join(folder, older.file), options()))).failures).toMatchObject([{ cause: "conflict" }]);
  });

  it.each([
    ["a page in the place of a wheel, as HTML", "text/html; charset=utf-8", "<!doctype html><title>Sign in</title>", "html"],
    ["a page in the place of a wheel, as bytes", "application/octet-stream", "<!doctype html><title>Sign in</title>", "html"],
  ])("[W-21] %s is named, with its URL and size", async (_, type, body, cause) => {
    const page = makeWheel(`page-${type.length}`, "1.0");
    const path = `/files/${page.name}/${page.file}`;
    index.add(page);
    index.instead(path, (response) => void response.writeHead(200, { "content-type": type }).end(body));
    const error = await failure(py.packages.install(page.name, options()));
    expect(error.failures).toMatchObject([{ name: page.name, cause, size: body.length, url: new URL(path, index.url).href }]);
    expect(error.message).toContain(new URL(path, index.url).href);
    expect(error.message).toContain(String(body.length));
    await expect(files()).resolves.not.toContain("page");
  });

  it("[W-21] an index that answers with a page, or with something else, is named", async () => {
    index.instead("/simple/paged/", (response) => void response.setHeader("content-type", "text/html").end("<html></html>"));
    index.instead("/simple/strange/", (response) => void response.setHeader("content-type", "application/json").end("[1]"));
    const error = await failure(py.packages.install(["paged", "strange"], options()));
    expect(error.failures).toMatchObject([
      { cause: "html", status: 200, size: 13, url: `${index.url}/paged/` },
      { cause: "invalid", size: 3, url: `${index.url}/strange/` },
    ]);
  });

  it("[W-21] a wheel that breaks off, or is cut on the server, is named with what came of it", async () => {
    const [broken, cut, unknown] = [makeWheel("broken", "1.0"), makeWheel("cut", "1.0"), makeWheel("cut-unknown", "1.0")];
    index.add(broken, cut);
    index.publish("cut-unknown", { file: unknown.file, bytes: unknown.bytes.subarray(0, 300) });
    index.instead(`/files/broken/${broken.file}`, (response) => {
      response.writeHead(200, { "content-length": broken.bytes.length });
      response.write(broken.bytes.subarray(0, 100), () => response.destroy());
    });
    index.instead(`/files/cut/${cut.file}`, (response) => void response.end(cut.bytes.subarray(0, 200)));
    const error = await failure(py.packages.install(["broken", "cut", "cut-unknown"], options()));
    expect(error.failures).toMatchObject([
      { name: "broken", cause: "truncated" },
      { name: "cut", cause: "truncated", size: 200 },
      { name: "cut-unknown", cause: "truncated", size: 300 },
    ]);
    expect(error.message).toContain(`200 bytes instead of ${cut.bytes.length}`);
  });

  it("[W-22] a wheel with a changed byte is asked for once more, then refused, and nothing of it is there", async () => {
    const flipped = makeWheel("flipped", "1.0");
    const path = `/files/flipped/${flipped.file}`;
    index.add(flipped);
    const before = await files();
    let times = 0;
    index.instead(path, (response) => {
      times++;
      response.end(damaged(flipped.bytes, "version ="));
    });
    const error = await failure(py.packages.install("flipped", options()));
    expect(error.failures).toMatchObject([{ cause: "hash", size: flipped.bytes.length, url: new URL(path, index.url).href }]);
    expect(error.message).toContain(flipped.sha256);
    expect(times).toBe(2);
    expect(await files()).toEqual(before);
    times = 0;
    index.instead(path, (response) => void response.end(times++ === 0 ? damaged(flipped.bytes, "version =") : flipped.bytes));
    await py.packages.install("flipped", options());
    expect(await version("flipped")).toBe("1.0");
  });

  it("a requirement of several wheels is installed whole or not at all", async () => {
    const before = await files();
    const half = makeWheel("half", "1.0", { requires: ["half-need"], files: { "half/data.txt": "will be damaged" } });
    const need = makeWheel("half-need", "1.0", { files: { "half_need/data.txt": "will be damaged" } });
    // No hash, so that only unpacking finds it.
    index.publish("half", { file: half.file, bytes: half.bytes });
    index.publish("half-need", { file: need.file, bytes: damaged(need.bytes, "will be damaged") });
    const error = await failure(py.packages.install("half", options()));
    expect(error.failures).toMatchObject([{ requirement: "half", cause: "invalid" }]);
    expect(error.message).toContain("half_need/data.txt");
    expect(await files()).toEqual(before);
    expect(await py.packages.missing("import half, half_need")).toEqual(["half", "half_need"]);
    index.publish("half-need", need);
    expect(named((await py.packages.install("half", options())).installed)).toEqual(["half-need 1.0", "half 1.0"]);
  });

  it.each([
    ["a file outside of its folder", { "../../escaped.py": "" }],
    ["an absolute file", { "/tmp/escaped.py": "" }],
    ["a second package's metadata", { "other-1.0.dist-info/METADATA": "Name: other" }],
  ])("a wheel with %s is refused", async (_, extra) => {
    const bad = makeWheel("evil", "1.0", { files: extra });
    await writeFile(join(folder, bad.file), bad.bytes);
    const error = await failure(py.packages.install(join(folder, bad.file)));
    expect(error.failures).toMatchObject([{ cause: "invalid" }]);
    expect(await py.eval("__import__('os').path.exists('/tmp/escaped.py')")).toBe(false);
    expect(await py.packages.missing("import evil")).toEqual(["evil"]);
  });

  it("[W-37] without a network the error names the address and the way to bring wheels along", async () => {
    const gone = await startIndex();
    await gone.close();
    const error = await failure(py.packages.install("numpy", { index: gone.url }));
    expect(error.failures).toMatchObject([{ requirement: "numpy", cause: "network", url: `${gone.url}/numpy/` }]);
    expect(error.hint).toContain("vendor()");
    expect(error.hint).toContain("from:");
  });

  it("a signal ends a download at once, with its reason, and the next installation goes on", async () => {
    const slow = makeWheel("slow", "1.0");
    const path = `/files/slow/${slow.file}`;
    index.add(slow);
    const before = await files();
    const reached = new Promise<void>((resolve) => {
      index.instead(path, (response) => {
        response.writeHead(200, { "content-length": slow.bytes.length });
        response.write(slow.bytes.subarray(0, 50), () => resolve());
      });
    });
    const stop = new AbortController();
    const installing = py.packages.install("slow", options({ signal: stop.signal }));
    const outcome = installing.catch((error: unknown) => error);
    await reached;
    const reason = new Error("enough");
    stop.abort(reason);
    expect(await outcome).toBe(reason);
    await expect(py.packages.install("slow", options({ signal: stop.signal }))).rejects.toBe(reason);
    index.instead(path, undefined);
    expect(named((await py.packages.install("slow", options())).installed)).toEqual(["slow 1.0"]);
    expect((await files()) as string[]).toEqual(expect.arrayContaining(before as string[]));
    expect(((await files()) as string[]).filter((name) => name.includes(".isopy-"))).toEqual([]);
  });

  it("options and requirements that are none are refused before anything is asked", async () => {
    const bad = async (installing: Promise<unknown>) => expect(installing).rejects.toMatchObject({ name: "EngineError" });
    await bad(py.packages.install([]).then(() => py.packages.install({})));
    await bad(py.packages.install("a", { index: index.url, lock }));
    await bad(py.packages.install("a", { indexes: "x" } as InstallOptions));
    await bad(py.packages.install(7 as unknown as string));
    await bad(py.packages.install({ lock: { isopyLock: 2 } as unknown as typeof lock }));
    const led = { ...lock, packages: [{ ...lock.packages[0], file: "../../x-1.0-py3-none-any.whl" }] } as typeof lock;
    await bad(py.packages.install({ lock: led }));
    expect(index.asked).toEqual([]);
  });
});

describe("a wheel's place", () => {
  it("a local wheel that needs nothing is installed without an index", async () => {
    const local = makeWheel("local", "1.0");
    await writeFile(join(folder, local.file), local.bytes);
    const { installed } = await py.packages.install(join(folder, local.file), options());
    expect(installed).toMatchObject([{ name: "local", url: pathToFileURL(join(folder, local.file)).href, sha256: local.sha256 }]);
    expect(index.asked).toEqual([]);
  });

  it("what a local wheel or a URL needs comes from the index", async () => {
    const [need, first, second] = [makeWheel("need", "1.0"), makeWheel("first", "1.0", { requires: ["need"] }), makeWheel("second", "1.0")];
    index.add(need, second);
    await writeFile(join(folder, first.file), first.bytes);
    const url = new URL(`/files/second/${second.file}`, index.url);
    const { installed } = await py.packages.install([join(folder, first.file), `${url}#sha256=${second.sha256}`], options());
    expect(named(installed)).toEqual(["need 1.0", "first 1.0", "second 1.0"]);
  });

  it("a hash at the end of a place is checked", async () => {
    const hashed = makeWheel("hashed", "1.0");
    await writeFile(join(folder, hashed.file), hashed.bytes);
    const place = join(folder, hashed.file);
    const error = await failure(py.packages.install(`${place}#sha256=${"0".repeat(64)}`));
    expect(error.failures).toMatchObject([{ cause: "hash", name: "hashed" }]);
    await py.packages.install(`${place}#sha256=${hashed.sha256}`);
    expect(await version("hashed")).toBe("1.0");
  });

  it("[W-38] backslashes of Windows in paths and URLs name the same wheel", async () => {
    const wheels = ["win-one", "win-two"].map((name) => makeWheel(name, "1.0"));
    for (const { file, bytes } of wheels) await writeFile(join(folder, file), bytes);
    const [one, two] = wheels as [(typeof wheels)[0], (typeof wheels)[0]];
    const path = join(folder, one.file).replaceAll("/", "\\");
    const url = pathToFileURL(join(folder, two.file)).href.replace(/(?<=.{8})\//g, "\\");
    const { installed } = await py.packages.install([path, url]);
    expect(installed.map(({ file }) => file)).toEqual([one.file, two.file]);
  });

  it("a wheel of another platform and one that is not there are refused by name", async () => {
    const linux = makeWheel("linux", "1.0", { tags: "cp314-cp314-linux_x86_64" });
    await writeFile(join(folder, linux.file), linux.bytes);
    const places = [join(folder, linux.file), join(folder, "absent-1.0-py3-none-any.whl"), "./mine.whl"];
    const error = await failure(py.packages.install(places));
    expect(error.failures.map(({ cause }) => cause)).toEqual(["no-wheel", "not-found", "not-found"]);
    expect(error.message).toContain("linux_x86_64");
  });
});

describe("a lock", () => {
  it("installs the same again in another engine, from a folder, without a network", async () => {
    const first = await start();
    const other = await start();
    try {
      const { name, program, result } = heavyweight(lock);
      await first.packages.install(name, options());
      const made = JSON.parse(JSON.stringify(await first.packages.lock())) as typeof lock;
      expect(made).toMatchObject({ isopyLock: 1, python: "3.14", platform: "pyemscripten_2026_0_wasm32" });
      expect(made.packages.map((one) => one.name)).toContain(name);
      index.asked.length = 0;
      const { installed } = await other.packages.install({ lock: made, from: WHEELS });
      expect(installed.map(({ sha256 }) => sha256).sort()).toEqual(made.packages.map(({ sha256 }) => sha256).sort());
      expect(index.asked).toEqual([]);
      for (const engine of [first, other]) {
        await engine.exec(program);
        expect(await engine.eval("result")).toEqual(result);
      }
      expect((await other.packages.lock()).packages.map(({ sha256 }) => sha256)).toEqual(made.packages.map(({ sha256 }) => sha256));
    } finally {
      await Promise.all([first.close(), other.close()]);
    }
  });

  it("a folder resolves names by its own lock", async () => {
    const { installed } = await py.packages.install(["msgpack>=1", "six"], { from: WHEELS });
    expect(installed.map(({ name }) => name)).toEqual(["msgpack", "six"]);
    expect(await py.import("msgpack").packb([1, 2])).toEqual(Uint8Array.of(0x92, 1, 2));
    expect(await py.import("msgpack").Packer.__module__).toBe("msgpack._cmsgpack"); // compiled, not its fallback
    const { failures } = await failure(py.packages.install("msgpack2", { from: pathToFileURL(WHEELS) }));
    expect(failures).toMatchObject([{ cause: "not-found" }]);
  });

  it("[W-22] its hashes are checked before anything is unpacked", async () => {
    const copy = join(folder, "wheels");
    await cp(WHEELS, copy, { recursive: true });
    const six = lock.packages.find(({ name }) => name === "six");
    const file = join(copy, six?.file ?? "");
    const bytes = await readFile(file);
    bytes.writeUInt8((bytes[bytes.length - 40] ?? 0) ^ 1, bytes.length - 40);
    await writeFile(file, bytes);
    const other = await start();
    try {
      const error = await failure(other.packages.install({ from: copy }));
      expect(error.failures).toMatchObject([{ requirement: `six==${six?.version}`, name: "six", cause: "hash", size: six?.size }]);
      expect(error.installed.length).toBe(lock.packages.length - 1);
      expect(await other.packages.missing("import six")).toEqual(["six"]);
    } finally {
      await other.close();
    }
  });

  it("a folder without a lock says how to make one", async () => {
    const error = await failure(py.packages.install({ from: join(folder, "nowhere") }));
    expect(error.failures).toMatchObject([{ cause: "not-found" }]);
    expect(error.message).toContain("isopy-lock.json");
    expect(error.hint).toContain("vendor()");
  });
});

describe("imports", () => {
  it("of a cell that are missing are found without running it", async () => {
    const code = [
      "import os.path, sys, nowhere.at.all",
      "from elsewhere import thing",
      "from . import sibling",
      "try:",
      "    import optional",
      "except ImportError:",
      "    import instead_of_it",
      "if TYPE_CHECKING:",
      "    import only_types",
      "def later():",
      "    import inside, nowhere",
      "await something()",
    ].join("\n");
    expect(await py.packages.missing(code)).toEqual(["nowhere", "elsewhere", "instead_of_it", "inside"]);
    await expect(py.packages.missing("import (")).rejects.toMatchObject({ type: "SyntaxError" });
  });

  it("are installed by the lock's knowledge, by what is given, by what is known, and by their own names", async () => {
    const odd = makeWheel("odd-name", "1.0", { files: { "oddly.py": "" } });
    index.add(odd, makeWheel("plain", "1.0"), makeWheel("pyyaml", "6.0", { files: { "yaml/__init__.py": "" } }));
    const { installed } = await py.packages.installImports("import oddly, plain, yaml", { index: index.url, names: { oddly: "odd-name" } });
    expect(installed.map(({ name }) => name).sort()).toEqual(["odd-name", "plain", "pyyaml"]);
    const locked = {
      ...lock,
      packages: [
        { ...odd, name: "odd-two", version: "1.0", file: "odd_two-1.0-py3-none-any.whl", size: null, url: null, imports: ["odd2"] },
      ],
    };
    const { failures } = await failure(py.packages.installImports("import odd2", { lock: locked, from: folder }));
    expect(failures).toMatchObject([{ requirement: "odd-two", cause: "not-found" }]);
    expect(await py.packages.installImports("import plain, os")).toEqual({ installed: [], present: [] });
  });
});

describe("two installations at once", () => {
  afterEach(() => void index.instead("/simple/turn-one/", undefined));

  it("take turns, and each gets what it asked for", async () => {
    index.add(makeWheel("turn-need", "1.0"));
    index.add(makeWheel("turn-one", "1.0", { requires: ["turn-need"] }), makeWheel("turn-two", "1.0", { requires: ["turn-need"] }));
    const reports = await Promise.all([py.packages.install("turn-one", options()), py.packages.install("turn-two", options())]);
    expect(reports.map(({ installed }) => named(installed))).toEqual([["turn-need 1.0", "turn-one 1.0"], ["turn-two 1.0"]]);
  });
});

it("list says everything that can be imported as a package", async () => {
  const list = await py.packages.list();
  expect(list.map(({ name }) => name)).toEqual(list.map(({ name }) => name).sort());
  const micropip = lock.packages.find(({ name }) => name === "micropip");
  expect(list.find(({ name }) => name === "micropip")).toMatchObject({ sha256: micropip?.sha256, file: micropip?.file });
});

it("a wheel whose server calls it HTML is a wheel", async () => {
  const called = makeWheel("called", "1.0");
  index.add(called);
  index.instead(`/files/called/${called.file}`, (response) => void response.setHeader("content-type", "text/html").end(called.bytes));
  expect(named((await py.packages.install("called", options())).installed)).toEqual(["called 1.0"]);
});

it("all of this left no exception that nobody heard, no warning and no handle", async () => {
  await py.eval("[__import__('gc').collect(), __import__('asyncio').sleep(0)][1]");
  expect(noise).toEqual([]);
  expect(py.handles.count).toBe(0);
});
