#include "fast_codec.h"

#include "interpreter.h"

namespace isopy {

namespace {

constexpr const char* kCodec = "isopy.codec";

/// What the replaced methods share, in a capsule.
struct FastCodec {
  StreamLimits limits;
  std::shared_ptr<Interpreter> interpreter;
};

/// `self` is (the replaced method, a capsule with the FastCodec).
PyObject* replaced(PyObject* self) { return py().PyTuple_GetItem(self, 0); }

FastCodec& codec_of(PyObject* self) {
  return *static_cast<FastCodec*>(py().PyCapsule_GetPointer(py().PyTuple_GetItem(self, 1), kCodec));
}

void free_codec(PyObject* capsule) {
  delete static_cast<FastCodec*>(py().PyCapsule_GetPointer(capsule, kCodec));
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
  const FastCodec& codec = codec_of(self);
  StreamWriter& writer = codec.interpreter->writer;
  if (count > 0 && writer.write(held.token(), args[0], codec.limits)) {
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
    const FastCodec& codec = codec_of(self);
    PyOwned value = codec.interpreter->reader.read(held.token(), reinterpret_cast<const unsigned char*>(data),
                                                   static_cast<std::size_t>(size), codec.limits);
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
  auto* shared = new FastCodec{engine->limits, engine->interpreter};
  PyOwned capsule = PyOwned::steal(py().PyCapsule_New(shared, kCodec, &free_codec));
  if (!capsule) {
    delete shared;
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
