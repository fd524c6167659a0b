/// Reads flat slots that JavaScript wrote into Python objects: the arguments of a call.
#pragma once

#include <node_api.h>

#include <memory>
#include <string>
#include <vector>

#include "flat.h"
#include "flat_memory.h"
#include "gil.h"

namespace isopy {

/// One engine's, in one environment. JS thread, attached.
///
/// Making a container may start the collector and with it a `__del__` that calls JavaScript, which calls
/// Python again. So the collector waits meanwhile, and where it cannot be told to, `reading` says
/// that the memory is in use.
class FlatReader {
 public:
  struct Arguments {
    PyOwned positional;  // a tuple; empty: a Python error is set, or the slots make no sense
    PyOwned keywords;    // a dict, or empty
  };
  /// The first slot: how many arguments, and how many of them are keywords (each a name and a value).
  /// `text` is a string or undefined, `buffers` an array of Uint8Arrays or undefined.
  Arguments read(const Gil& gil, napi_env env, std::size_t slots, napi_value text, napi_value buffers);
  bool reading() const { return reading_; }
  FlatMemory& memory() { return memory_; }
  /// Attached.
  void clear() { shapes_.clear(); }

 private:
  using Shape = std::vector<PyOwned>;

  bool arguments(Arguments& made);
  PyObject* value(int depth);
  PyObject* container(std::int32_t tag, std::size_t size, int depth);
  PyObject* list(std::size_t size, int depth);
  /// JavaScript refers to no tuple before its end. `counts`: it can refer to it at all.
  PyObject* tuple(std::size_t size, int depth, bool counts);
  PyObject* dict(const Shape& shape, int depth);
  PyObject* entries(std::size_t size, int depth);
  PyObject* members(bool frozen, std::size_t size, int depth);
  PyObject* raw(std::int32_t tag, std::size_t argument);
  PyObject* view(std::size_t buffer);
  PyObject* text(std::size_t units);
  PyObject* short_text(std::size_t size);
  bool define(std::size_t number, int depth);
  bool read_text(napi_value text);
  PyObject* remember(PyObject* object) {
    if (object != nullptr) memo_.push_back(object);
    return object;
  }
  bool left(std::size_t slots) const { return slots <= end_ - at_; }
  double next_double();

  FlatMemory memory_;
  std::vector<std::unique_ptr<Shape>> shapes_;
  std::vector<std::unique_ptr<Shape>> replaced_;  // a dict of this message may still be filled by it
  std::vector<PyObject*> memo_;                   // borrowed: each is in what is being made
  std::u16string text_;
  napi_env env_ = nullptr;
  napi_value buffers_ = nullptr;
  const std::int64_t* slots_ = nullptr;
  std::size_t at_ = 0, end_ = 0, text_at_ = 0;
  bool reading_ = false;
};

}  // namespace isopy
