/// What functions written in C++ give back to Python.
#pragma once

#include "python_api.h"

namespace isopy {

inline PyObject* none() {
  py().Py_IncRef(py()._Py_NoneStruct);
  return py()._Py_NoneStruct;
}

/// A TypeError is set.
inline PyObject* wrong_arguments(const char* usage) {
  py().PyErr_SetString(py().PyExc_TypeError, usage);
  return nullptr;
}

}  // namespace isopy
