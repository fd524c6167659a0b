/// Scalars that cross a sync call without a stream.
#pragma once

#include <node_api.h>

#include <cmath>

#include "gil.h"

namespace isopy {

/// `Number.MAX_SAFE_INTEGER`.
constexpr double kMaxSafeInteger = 9007199254740991.0;

/// A JS undefined, null, boolean, number, bigint or string as a Python object. Empty without a
/// Python error when it is something else; empty with one when Python refused.
PyOwned scalar_to_python(const Gil& gil, napi_env env, napi_value value);

/// A JS number: an int where it has no fraction and is a safe integer (-0 has none in Python), else a float.
/// A list of floats makes a hundred thousand, so it is inline.
inline PyOwned number_to_python(const Gil&, double number) {
  // Through the integer, not `trunc`: a tenth of what a call with two numbers costs.
  if (number >= -kMaxSafeInteger && number <= kMaxSafeInteger) {
    const auto whole = static_cast<long long>(number);
    if (static_cast<double>(whole) == number && (whole != 0 || !std::signbit(number)))
      return PyOwned::steal(py().PyLong_FromLongLong(whole));
  }
  return PyOwned::steal(py().PyFloat_FromDouble(number));
}
/// An exact float, or an exact int that a JS number holds exactly; false for anything else.
bool number_to_javascript(const Gil& gil, PyObject* object, double& number);

enum class Conversion { kDone, kNotScalar, kFailed };
/// An exact None, bool, int, float or str as a JS value. kFailed leaves a Python error.
Conversion scalar_to_javascript(const Gil& gil, napi_env env, PyObject* object, napi_value& result);

}  // namespace isopy
