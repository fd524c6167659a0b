/// Arrays of one axis as the TypedArray that `_isopy` and its reader would make of them, without a stream.
#pragma once

#include <node_api.h>

#include "environment.h"
#include "gil.h"

namespace isopy {

/// JS thread, attached. Null without an error when it is not for us: a type that `_isopy` has not called
/// simple, or an array that is more than its elements in a row. The outcome is set; null may leave a JS
/// exception.
napi_value deliver_array_copy(const Gil& gil, napi_env env, EngineContext& context, PyObject* array);
/// The same over Python's memory; the export's id is in `kFlags` (low 31 bits) and `kType`.
napi_value deliver_array_view(const Gil& gil, napi_env env, EngineContext& context, PyObject* array);

}  // namespace isopy
