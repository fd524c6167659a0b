/** The app of the browser tests: this package, where a test can reach it from outside. */
import * as isopy from "isopy";

(globalThis as { isopy?: typeof isopy }).isopy = isopy;
