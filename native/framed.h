/// Built-in functions that work on the frame of their caller, which C++ does not have (`_isopy.framed`).
#pragma once

#include <vector>

#include "gil.h"

namespace isopy {

class FramedFunctions {
 public:
  /// Those that `_isopy.framed` names, and what a Python engine calls instead. False with an error set.
  bool fetch(const Gil& gil, const PyOwned& engine);

  bool has(PyObject* callee) const {
    if (type_of(callee) != py().PyCFunction_Type) return false;
    for (const PyOwned& one : functions_)
      if (one.get() == callee) return true;
    return false;
  }
  /// `callee(*args)`; `args[-1]` may be written.
  PyOwned vectorcall(PyObject* callee, PyObject** args, std::size_t count) const;
  /// `callee(*args, **keywords)`; the dict may be null.
  PyOwned call(PyObject* callee, PyObject* args, PyObject* keywords) const;

 private:
  std::vector<PyOwned> functions_;
  PyOwned call_;  // (function, *args, **keywords), in the namespace of the default context
};

}  // namespace isopy
