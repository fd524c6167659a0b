/** The vectors on CPython in this process, synchronously. */
import { runVectorsHere } from "./node-host.ts";

runVectorsHere("native-sync");
