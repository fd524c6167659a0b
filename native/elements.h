/// The elements of a buffer that NumPy and JavaScript have a type for.
#pragma once

#include <node_api.h>

#include "python_api.h"

namespace isopy {

struct Element {
  const char* dtype;  // NumPy's name
  /// The TypedArray that is the whole truth about one axis of them; false: there is none, or not everywhere.
  bool typed;
  napi_typedarray_type type;
};

/// The native element of this `struct` format and size, or null. No format: bytes.
const Element* element_of(const char* format, Py_ssize_t size);

}  // namespace isopy
