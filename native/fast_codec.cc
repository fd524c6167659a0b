#include "fast_codec.h"

#include "stream_reader.h"
#include "stream_writer.h"

namespace isopy {

namespace {

constexpr const char* kLimits = "isopy.limits";

// Used under the GIL only. Writing never lets go of it; reading may (a collection may run a
// finalizer), and then a second reader gives up and Python reads.
StreamWriter& writer = *new StreamWriter;
StreamReader& reader = *new StreamReader;

/// `self` is (the replaced method, a capsule with the limits).
PyObject* replaced(PyObject* self) { return py().PyTuple_GetItem(self, 0); }

const StreamLimits& limits_of(PyObject* self) {
  return *static_cast<StreamLimits*>(py().PyCapsule_GetPointer(py().PyTuple_GetItem(self, 1), kLimits));
}

void free_limits(PyObject* capsule) {
  delete static_cast<StreamLimits*>(py().PyCapsule_GetPointer(capsule, kLimits));
}

PyObject* forward(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* names) {
  if (py().PyObject_Vectorcall != nullptr) {
    return py().PyObject_Vectorcall(replaced(self), args, static_cast<std::size_t>(count), names);
  }
  if (names == nullptr)
    return py().PyObject_VectorcallDict(replaced(self), args, static_cast<std::size_t>(count), nullptr);
  PyOwned keywords = PyOwned::steal(py().PyDict_New());
  for (Py_ssize_t i = 0; keywords && i < py().PyTuple_Size(names); i++) {
    if (py().PyDict_SetItem(keywords.get(), py().PyTuple_GetItem(names, i), args[count + i]) != 0)
      return nullptr;
  }
  if (!keywords) return nullptr;
  return py().PyObject_VectorcallDict(replaced(self), args, static_cast<std::size_t>(count), keywords.get());
}

/// stream(value, portable=False): plain data is portable, so the second does not matter here.
PyObject* stream(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* names) {
  GilHeld held;
  if (count > 0 && writer.write(held.token(), args[0], limits_of(self))) {
    return py().PyBytes_FromStringAndSize(writer.data(), static_cast<Py_ssize_t>(writer.size()));
  }
  return forward(self, args, count, names);
}

/// decode(data, slots=None): plain data refers to no slot.
PyObject* decode(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* names) {
  GilHeld held;
  char* data = nullptr;
  Py_ssize_t size = 0;
  if (count > 0 && type_of(args[0]) == py().PyBytes_Type &&
      py().PyBytes_AsStringAndSize(args[0], &data, &size) == 0) {
    PyOwned value = reader.read(held.token(), reinterpret_cast<const unsigned char*>(data),
                                static_cast<std::size_t>(size), limits_of(self));
    if (value) return value.release();
  }
  return forward(self, args, count, names);
}

using WithKeywords = PyObject* (*)(PyObject*, PyObject* const*, Py_ssize_t, PyObject*);
constexpr int kKeywords = 0x0002;

PyMethodDef method(const char* name, WithKeywords function) {
  // Through a generic pointer: the flags tell Python the real type.
  return {name, reinterpret_cast<PyObject* (*)(PyObject*, PyObject*)>(reinterpret_cast<void (*)()>(function)),
          kMethFastcall | kKeywords, nullptr};
}

// Python keeps pointers to these.
PyMethodDef methods[] = {method("stream", &stream), method("decode", &decode)};

}  // namespace

bool accelerate_codec(const Gil&, const std::shared_ptr<Engine>& engine, const PyOwned& codec) {
  if (!py().plain_layout) return true;
  auto* limits = new StreamLimits(engine->limits);
  PyOwned capsule = PyOwned::steal(py().PyCapsule_New(limits, kLimits, &free_limits));
  if (!capsule) {
    delete limits;
    return false;
  }
  for (PyMethodDef& definition : methods) {
    PyOwned original = PyOwned::steal(py().PyObject_GetAttrString(codec.get(), definition.ml_name));
    PyOwned self = PyOwned::steal(py().PyTuple_New(2));
    if (!original || !self) return false;
    py().PyTuple_SetItem(self.get(), 0, original.release());
    py().PyTuple_SetItem(self.get(), 1, PyOwned::share(capsule.get()).release());
    PyOwned function = PyOwned::steal(py().PyCFunction_NewEx(&definition, self.get(), nullptr));
    if (!function || py().PyObject_SetAttrString(codec.get(), definition.ml_name, function.get()) != 0)
      return false;
  }
  return true;
}

}  // namespace isopy
