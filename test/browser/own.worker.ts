/** The worker of `own-worker-app.ts`. */
import { serveEngine } from "isopy/worker";

serveEngine();
