#include "locks.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <mutex>

namespace isopy {

namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;
using Acquire = PyObject* (*)(PyObject* self, PyObject* args, PyObject* kwargs);

constexpr Seconds kSlice{0.05};
/// Above a year the original says what it thinks of the number.
constexpr double kLongest = 3.2e7;

struct Arguments {
  bool waits = false;     // blocking, and the timeout is one that this file understands
  bool for_ever = false;  // without a timeout
  Seconds timeout{0};
};

/// `acquire(blocking=True, timeout=-1)`; what is not plain is left to the original, which also refuses it.
Arguments read(PyObject* args, PyObject* kwargs) {
  PyObject* blocking = nullptr;
  PyObject* timeout = nullptr;
  const Py_ssize_t given = args != nullptr ? py().PyTuple_Size(args) : 0;
  if (given > 2) return {};
  if (given > 0) blocking = py().PyTuple_GetItem(args, 0);
  if (given > 1) timeout = py().PyTuple_GetItem(args, 1);
  if (kwargs != nullptr) {
    Py_ssize_t known = 0;
    if (PyObject* named = py().PyDict_GetItemString(kwargs, "blocking");
        named != nullptr && blocking == nullptr)
      blocking = named, known++;
    if (PyObject* named = py().PyDict_GetItemString(kwargs, "timeout");
        named != nullptr && timeout == nullptr)
      timeout = named, known++;
    if (known != py().PyDict_Size(kwargs)) return {};
  }
  if (blocking != nullptr && blocking != py()._Py_TrueStruct) return {};
  if (timeout == nullptr) return {true, true, {}};
  if (type_of(timeout) != py().PyFloat_Type && type_of(timeout) != py().PyLong_Type) return {};
  const double seconds = py().PyFloat_AsDouble(timeout);
  if (seconds == -1.0) {
    if (py().PyErr_Occurred() != nullptr) {  // an int that no float holds
      py().PyErr_Clear();
      return {};
    }
    return {true, true, {}};
  }
  if (!(seconds > 0 && seconds < kLongest)) return {};
  return {true, false, Seconds(seconds)};
}

PyOwned pack(PyObject* first, PyOwned second = {}) {
  PyOwned tuple = PyOwned::steal(py().PyTuple_New(second ? 2 : 1));
  if (!tuple) return {};
  py().PyTuple_SetItem(tuple.get(), 0, PyOwned::share(first).release());
  if (second) py().PyTuple_SetItem(tuple.get(), 1, second.release());
  return tuple;
}

/// A function of `_isopy.waits`, called without arguments.
PyOwned ask(const char* name) {
  PyOwned module = PyOwned::steal(py().PyImport_ImportModule("_isopy.waits"));
  PyOwned function = module ? PyOwned::steal(py().PyObject_GetAttrString(module.get(), name)) : PyOwned();
  return function ? PyOwned::steal(py().vectorcall(function.get(), nullptr, 0)) : PyOwned();
}

/// The lock is taken and this thread may wait: in slices, if it runs a program.
PyObject* wait(Acquire original, PyObject* self, PyObject* args, PyObject* kwargs, const Arguments& wanted) {
  const Clock::time_point begun = Clock::now();
  PyOwned slices = ask("begin");
  if (!slices) return nullptr;
  if (slices.get() != py()._Py_TrueStruct) return original(self, args, kwargs);
  for (;;) {
    Seconds slice = kSlice;
    if (!wanted.for_ever) slice = std::min(slice, wanted.timeout - Seconds(Clock::now() - begun));
    const bool last = slice < kSlice;
    PyOwned operands =
        pack(py()._Py_TrueStruct, PyOwned::steal(py().PyFloat_FromDouble(std::max(slice.count(), 0.0))));
    if (!operands) return nullptr;
    PyObject* got = original(self, operands.get(), nullptr);
    if (got != py()._Py_FalseStruct || last) return got;  // taken, failed, or too late
    py().Py_DecRef(got);
    if (!ask("look")) return nullptr;  // interrupted
  }
}

PyObject* acquire(Acquire original, PyObject* self, PyObject* args, PyObject* kwargs) {
  const Arguments wanted = read(args, kwargs);
  if (!wanted.waits) return original(self, args, kwargs);
  PyOwned no = pack(py()._Py_FalseStruct);
  if (!no) return nullptr;
  PyObject* got = original(self, no.get(), nullptr);
  if (got != py()._Py_FalseStruct) return got;
  py().Py_DecRef(got);
  return wait(original, self, args, kwargs, wanted);
}

// Functions of libpython, not objects: the same in every interpreter. Written once each, under the mutex.
Acquire original_lock = nullptr;
Acquire original_rlock = nullptr;
PyObject* lock_acquire(PyObject* self, PyObject* args, PyObject* kwargs) {
  return acquire(original_lock, self, args, kwargs);
}
PyObject* rlock_acquire(PyObject* self, PyObject* args, PyObject* kwargs) {
  return acquire(original_rlock, self, args, kwargs);
}

/// The head of CPython's PyMethodDescrObject, the same from 3.9 on.
struct MethodDescriptor {
  void* head[2];
  PyObject* type;
  PyObject* name;
  PyObject* qualified_name;
  PyMethodDef* method;
};

std::mutex& mutex = *new std::mutex;
PyMethodDef replacements[8];  // Python keeps pointers to these
std::size_t used = 0;

/// The definition that stands for `method` now; null when there is none.
PyMethodDef* replacement(const PyMethodDef& method, bool reentrant) {
  const Acquire replacing = reentrant ? &rlock_acquire : &lock_acquire;
  const auto function =
      reinterpret_cast<PyObject* (*)(PyObject*, PyObject*)>(reinterpret_cast<void (*)()>(replacing));
  std::lock_guard<std::mutex> guard(mutex);
  for (std::size_t i = 0; i < used; i++) {
    if (std::strcmp(replacements[i].ml_name, method.ml_name) == 0 && replacements[i].ml_meth == function)
      return &replacements[i];
  }
  Acquire& original = reentrant ? original_rlock : original_lock;
  const auto found = reinterpret_cast<Acquire>(reinterpret_cast<void (*)()>(method.ml_meth));
  if (used == std::size(replacements) || (original != nullptr && original != found)) return nullptr;
  original = found;
  replacements[used] = {method.ml_name, function, method.ml_flags, method.ml_doc};
  return &replacements[used++];
}

}  // namespace

PyOwned interruptible_method(const Gil&, PyObject* type, PyObject* descriptor, bool reentrant) {
  if (!py().plain_layout || type_of(descriptor) != py().PyMethodDescr_Type) return {};
  const PyMethodDef& method = *reinterpret_cast<MethodDescriptor*>(descriptor)->method;
  if (method.ml_flags != kMethVarargsKeywords) return {};
  PyMethodDef* definition = replacement(method, reentrant);
  return definition != nullptr ? PyOwned::steal(py().PyDescr_NewMethod(type, definition)) : PyOwned();
}

}  // namespace isopy
