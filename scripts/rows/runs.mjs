/** Running the rows of the embedding systems on another CPython: which files, and under which environment. */
import fs from "node:fs";
import { inRoot } from "../setup/paths.mjs";
import { provesRows } from "./cpython.mjs";

/** The test files of the projects `seeds` and `native` that hold such rows, relative to the root. */
export function rowFiles(folders = ["test/seeds", "test/native"]) {
  return folders
    .flatMap((folder) => fs.readdirSync(inRoot(folder)).map((name) => `${folder}/${name}`))
    .filter((file) => file.endsWith(".test.ts") && provesRows(fs.readFileSync(inRoot(file), "utf8")));
}

/** What makes tests embed this Python, and leave out the engine that does not. */
export const onPython = (python) => ({
  ISOPY_PYTHON: python.path,
  ISOPY_TEST_PYTHON: python.path,
  ISOPY_SEED_ENGINES: "native",
});
