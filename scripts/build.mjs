/** `npm run build`: the packages, the addon and the bundles; whatever is up to date is left alone. */
import { addon } from "./setup/addon.mjs";
import { build } from "./setup/build.mjs";
import { dependencies } from "./setup/dependencies.mjs";
import { SetupError, step } from "./setup/step.mjs";

try {
  await step("packages", dependencies);
  await step("addon", addon);
  await step("build", build);
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
