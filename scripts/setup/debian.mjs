/**
 * Installing a Debian package, where that is ours to do: root, apt-get, and CI or an explicit wish.
 *
 * Elsewhere nothing is installed; the caller says what the person has to do.
 */
import { answers, exec, tail, which } from "./exec.mjs";
import { CI } from "./paths.mjs";

let updated;

export const canInstall = () => process.platform === "linux" && process.getuid?.() === 0 && answers("apt-get", ["--version"]);

/**
 * @param {string} name  A package's name.
 * @returns {Promise<string | undefined>} What went wrong, or undefined when it is installed.
 */
export async function installPackage(name) {
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  updated ??= exec("apt-get", ["update", "-q"], { env, timeout: 300_000 });
  await updated;
  const outcome = await exec("apt-get", ["install", "-y", "-q", "--no-install-recommends", name], { env, timeout: 900_000 });
  return outcome.code === 0 ? undefined : tail(outcome, 4);
}

/**
 * The first of these commands that PATH has. Where there is none, CI installs the packages and looks again.
 *
 * @param {readonly string[]} commands
 * @param {readonly string[]} packages
 * @returns {Promise<string | undefined>}
 */
export async function commandOf(commands, packages) {
  const found = which(...commands);
  if (found !== undefined || !(CI && canInstall())) return found;
  for (const name of packages) await installPackage(name);
  return which(...commands);
}
