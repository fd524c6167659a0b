#include "framed.h"

namespace isopy {

bool FramedFunctions::fetch(const Gil&, const PyOwned& engine) {
  PyOwned module = PyOwned::steal(py().PyImport_ImportModule("_isopy.framed"));
  PyOwned table = module ? PyOwned::steal(py().PyObject_GetAttrString(module.get(), "FRAMED")) : PyOwned();
  call_ = table ? PyOwned::steal(py().PyObject_GetAttrString(engine.get(), "framed")) : PyOwned();
  if (!call_) return false;
  PyObject *function = nullptr, *instead = nullptr;
  Py_ssize_t at = 0;
  while (py().PyDict_Next(table.get(), &at, &function, &instead) != 0)
    functions_.push_back(PyOwned::share(function));
  return true;
}

PyOwned FramedFunctions::vectorcall(PyObject* callee, PyObject** args, std::size_t count) const {
  if (!has(callee)) return PyOwned::steal(py().vectorcall(callee, args, count | kVectorcallOffset));
  PyOwned instead = PyOwned::share(call_.get());  // closing may drop it meanwhile
  PyObject* first = args[-1];
  args[-1] = callee;
  PyOwned result = PyOwned::steal(py().vectorcall(instead.get(), args - 1, count + 1));
  args[-1] = first;
  return result;
}

PyOwned FramedFunctions::call(PyObject* callee, PyObject* args, PyObject* keywords) const {
  if (!has(callee)) return PyOwned::steal(py().PyObject_Call(callee, args, keywords));
  PyOwned instead = PyOwned::share(call_.get());
  const Py_ssize_t count = py().PyTuple_Size(args);
  PyOwned all = PyOwned::steal(py().PyTuple_New(count + 1));
  if (!all) return {};
  fill_tuple(all.get(), 0, PyOwned::share(callee).release());
  for (Py_ssize_t i = 0; i < count; i++)
    fill_tuple(all.get(), i + 1, PyOwned::share(tuple_item(args, i)).release());
  return PyOwned::steal(py().PyObject_Call(instead.get(), all.get(), keywords));
}

}  // namespace isopy
