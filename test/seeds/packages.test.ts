/** Packages: requirements with an offline folder of wheels, an inventory that verifies, wheels fetched ahead of time. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PackageError } from "isopy";
import { vendor } from "isopy/packages";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type PackageIndex, startIndex } from "../support/package-index.ts";
import { needWheels, realLock } from "../support/real-wheels.ts";
import { damaged, makeWheel } from "../support/wheels.ts";
import { nativeEngine, onEach, wasmEngine } from "./engines.ts";
import { thrownBy } from "./thrown.ts";

const ids = "[FA-10] [DD-29] [GE-05]";
let index: PackageIndex;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "isopy-seed-"));
  index = await startIndex();
  index.addLocked(realLock(), (name) => name === "micropip");
  index.add(makeWheel("seed-base", "1.2"), makeWheel("seed-top", "1.0", { requires: ["seed-base>=1"] }));
});
afterAll(() => Promise.all([index.close(), rm(folder, { recursive: true, force: true })]));

beforeEach(needWheels);

onEach([wasmEngine], (engine) => {
  test("[FA-10] [GE-05] requirements are fetched ahead of time with the same hashes each time, and installed without an index", async () => {
    const requirements = ["seed-top"];
    const [first, second] = [
      await vendor(requirements, { folder, index: index.url }),
      await vendor(requirements, { folder, index: index.url }),
    ];
    expect(first).toEqual(second);
    index.asked.length = 0;
    const { installed } = await engine.py.packages.install(requirements, { from: folder });
    expect(installed.map(({ name }) => name)).toEqual(["micropip", "seed-base", "seed-top"]);
    expect(await engine.py.import("seed_base").version).toBe("1.2");
    expect(index.asked).toEqual([]);
  });

  test("[FA-10] a broken wheel leaves nothing behind, and the error says what is broken", async () => {
    const broken = makeWheel("seed-broken", "1.0");
    await writeFile(join(folder, broken.file), damaged(broken.bytes, "version ="));
    const error = (await thrownBy(() => engine.py.packages.install(join(folder, broken.file)))) as PackageError;
    expect(error).toBeInstanceOf(PackageError);
    expect(error.failures).toMatchObject([{ name: "seed-broken", cause: "invalid" }]);
    expect(error.message).toContain("Bad CRC-32");
    expect(await engine.py.packages.missing("import seed_broken")).toEqual(["seed_broken"]);
  });

  test("[DD-29] the inventory lists what is there, and refuses a wrong hash and an older version", async () => {
    const [newer, older] = [makeWheel("seed-check", "2.0"), makeWheel("seed-check", "1.0")];
    for (const { file, bytes } of [newer, older]) await writeFile(join(folder, file), bytes);
    const wrong = await thrownBy(() => engine.py.packages.install(`${join(folder, newer.file)}#sha256=${older.sha256}`));
    expect((wrong as PackageError).failures).toMatchObject([{ cause: "hash" }]);
    await engine.py.packages.install(`${join(folder, newer.file)}#sha256=${newer.sha256}`);
    const downgrade = await thrownBy(() => engine.py.packages.install(join(folder, older.file)));
    expect((downgrade as PackageError).failures).toMatchObject([{ cause: "conflict", name: "seed-check" }]);
    const list = await engine.py.packages.list();
    expect(list.find(({ name }) => name === "seed-check")).toMatchObject({ version: "2.0", sha256: newer.sha256, imports: ["seed_check"] });
    expect(await readFile(join(folder, newer.file))).toEqual(newer.bytes);
  });
});

onEach([nativeEngine], (engine) => {
  test(`${ids} refuses: packages are those of the environment, and the error says where to install`, async () => {
    const refused = { code: "ERR_UNSUPPORTED", hint: expect.stringContaining("pip install") as string };
    expect(await thrownBy(() => engine.py.packages.install(["six"], { from: folder }))).toMatchObject(refused);
    expect(await thrownBy(() => engine.py.packages.list())).toMatchObject(refused);
  });
});
