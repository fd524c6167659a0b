/// Scalars that cross a sync call without a stream.
#pragma once

#include <node_api.h>

#include "gil.h"

namespace isopy {

/// A JS undefined, null, boolean, number, bigint or string as a Python object. Empty without a
/// Python error when it is something else; empty with one when Python refused.
PyOwned scalar_to_python(const Gil& gil, napi_env env, napi_value value);

/// A JS number: an int where it has no fraction and is a safe integer (-0 has none in Python), else a float.
PyOwned number_to_python(const Gil& gil, double number);
/// An exact float, or an exact int that a JS number holds exactly; false for anything else.
bool number_to_javascript(const Gil& gil, PyObject* object, double& number);

enum class Conversion { kDone, kNotScalar, kFailed };
/// An exact None, bool, int, float or str as a JS value. kFailed leaves a Python error.
Conversion scalar_to_javascript(const Gil& gil, napi_env env, PyObject* object, napi_value& result);

}  // namespace isopy
