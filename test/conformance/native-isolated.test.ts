/** The vectors in an interpreter of its own: a few of each group, and all of them with ISOPY_ALL_VECTORS=1. */
import { runVectorsHere } from "./node-host.ts";

runVectorsHere("native-isolated", process.env["ISOPY_ALL_VECTORS"] === "1" ? Number.POSITIVE_INFINITY : 6);
