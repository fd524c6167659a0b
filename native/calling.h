/// Small things that C++ does to Python's objects when it calls them.
#pragma once

#include <initializer_list>

#include "gil.h"

namespace isopy {

inline bool is_exact(PyObject* object, PyObject* type) { return type_of(object) == type; }

/// A 64-bit int; false for anything else.
inline bool read_int(PyObject* object, long long& number) {
  if (!is_exact(object, py().PyLong_Type)) return false;
  int overflow = 0;
  number = py().PyLong_AsLongLongAndOverflow(object, &overflow);
  return overflow == 0;
}

inline PyOwned call(const PyOwned& callee, std::initializer_list<PyObject*> args) {
  return PyOwned::steal(py().vectorcall(callee.get(), args.begin(), args.size()));
}

inline PyOwned attribute(const PyOwned& object, const PyOwned& name) {
  return PyOwned::steal(py().PyObject_GetAttr(object.get(), name.get()));
}

/// The pending error as an exception with its traceback.
inline PyOwned take_exception(const Gil&) {
  PyObject *type = nullptr, *value = nullptr, *traceback = nullptr;
  py().PyErr_Fetch(&type, &value, &traceback);
  py().PyErr_NormalizeException(&type, &value, &traceback);
  if (traceback != nullptr) py().PyException_SetTraceback(value, traceback);
  PyOwned owned_type = PyOwned::steal(type), owned_traceback = PyOwned::steal(traceback);
  return PyOwned::steal(value);
}

}  // namespace isopy
