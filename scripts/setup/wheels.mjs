/**
 * Step: real wheels for Pyodide, fetched by the host's pip, so that no test's page or worker asks another machine.
 *
 * NumPy where its project has one for this Pyodide; the tests take pydantic (compiled) in its place until then.
 */
import fs from "node:fs";
import { inCache, inRoot } from "./paths.mjs";
import { defaultPython } from "./pythons.mjs";
import { hashOf, isFresh, setFresh } from "./stamp.mjs";
import { done, missing, ready } from "./step.mjs";

const PACKAGES = ["pydantic", "msgpack", "six"];
const LARGEST = "numpy";

export async function wheels() {
  const folder = inCache("wheels");
  const lock = `${folder}/isopy-lock.json`;
  const hash = `${hashOf(["src/packages/vendor-node.ts", "python/_isopy/vendoring.py", "python/_isopy/wheels.py"])} ${PACKAGES} ${LARGEST}`;
  if (fs.existsSync(lock) && isFresh("wheels", hash)) return ready(named(JSON.parse(fs.readFileSync(lock, "utf8"))));
  const python = defaultPython();
  if (python === undefined) return missing("no CPython 3.9+ with pip on PATH: packages are not tested");
  const { vendor } = await import(inRoot("dist/packages.js"));
  fs.rmSync(folder, { recursive: true, force: true });
  const fetch = (requirements) => vendor(requirements, { folder, python: python.executable });
  try {
    const found = await fetch([...PACKAGES, LARGEST]).catch((error) => {
      if (error.code !== "ERR_PACKAGE") throw error;
      return fetch(PACKAGES);
    });
    setFresh("wheels", hash);
    return done(`fetched ${named(found)}`);
  } catch (error) {
    return missing(
      `packages are not tested, pip could not fetch ${PACKAGES.join(", ")} for Pyodide: ${error.message.split("\n").slice(0, 2).join(" ")}`,
    );
  }
}

function named({ packages, platform }) {
  const numpy = packages.some(({ name }) => name === LARGEST) ? "" : `; ${LARGEST} has none`;
  return `${packages.map(({ name, version }) => `${name} ${version}`).join(", ")} for ${platform}${numpy}`;
}
