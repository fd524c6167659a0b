/** The vectors on CPython in this process, asynchronously. */
import { runVectorsHere } from "./node-host.ts";

runVectorsHere("native-async");
