/** All vectors, in the order of the groups. */
import type { Vector } from "../vector.ts";
import { arrow } from "./arrow.ts";
import { buffers } from "./buffers.ts";
import { containerConversion } from "./container-conversion.ts";
import { containerKeys } from "./container-keys.ts";
import { containerKinds } from "./container-kinds.ts";
import { containerStructure } from "./container-structure.ts";
import { errorCrossing } from "./error-crossing.ts";
import { errors } from "./errors.ts";
import { framed } from "./framed.ts";
import { handleIteration } from "./handle-iteration.ts";
import { handles } from "./handles.ts";
import { lentObjects } from "./lent-objects.ts";
import { limits } from "./limits.ts";
import { namedValues } from "./named-values.ts";
import { numpy } from "./numpy.ts";
import { scalars } from "./scalars.ts";
import { strings } from "./strings.ts";
import { tables } from "./tables.ts";
import { temporal } from "./temporal.ts";
import { valueclasses } from "./valueclasses.ts";
import { views } from "./views.ts";

export const vectors: readonly Vector[] = [
  ...scalars,
  ...strings,
  ...buffers,
  ...containerStructure,
  ...containerKeys,
  ...containerKinds,
  ...containerConversion,
  ...valueclasses,
  ...namedValues,
  ...temporal,
  ...errors,
  ...errorCrossing,
  ...handles,
  ...framed,
  ...handleIteration,
  ...lentObjects,
  ...numpy,
  ...tables,
  ...arrow,
  ...views,
  ...limits,
];
