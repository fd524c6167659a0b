/// Writes exact built-in data as flat slots for JavaScript, without Python code running.
///
/// Like the stream writer it gives up on whatever it does not know, and the stream takes over: handles,
/// extension values, integers beyond 64 bits, lone surrogates, depth, and whatever could come near a limit.
#pragma once

#include <node_api.h>

#include <string>
#include <vector>

#include "flat_memory.h"
#include "flat_shapes.h"
#include "gil.h"
#include "stream_writer.h"

namespace isopy {

/// One engine's, in one environment. JS thread, attached. Keeps its memory from message to message.
class FlatWriter {
 public:
  /// False when the value is not for us; nothing has happened then.
  bool write(const Gil& gil, napi_env env, PyObject* value, const StreamLimits& limits);
  /// After a `write`: what belongs to the message beside its slots. Null: a JS exception is pending, and the
  /// message is undone. Undefined, the text, or an array of the text and the buffers.
  napi_value beside(const Gil& gil, napi_env env);
  FlatMemory& memory() { return memory_; }
  FlatShapes& shapes() { return shapes_; }

 private:
  struct Bytes {
    const char* data;
    std::size_t size;
  };
  bool value(PyObject* object, int depth);
  bool integer(PyObject* object);
  bool text(PyObject* object);
  bool add_text(const char* utf8, std::size_t size, std::size_t& units);
  bool list(PyObject* object, int depth);
  bool numbers(PyObject* object, std::size_t size);
  bool tuple(PyObject* object, int depth);
  bool dict(PyObject* object, int depth);
  bool entries(PyObject* object, std::size_t size, int depth);
  bool members(flat::Tag tag, PyObject* object, int depth);
  bool bytes(flat::Tag tag, PyObject* object);

  /// True when the object was written before, and is now referred to. `ok` is false when that cannot be said.
  bool again(PyObject* object, flat::Tag tag, bool& ok);
  void opened(PyObject* object) {
    if (!is_unshared(object)) memo_.insert(object, static_cast<std::uint32_t>(at_) | kUnfinished);
  }
  void closed(PyObject* object, std::size_t at) {
    if (!is_unshared(object)) memo_.insert(object, static_cast<std::uint32_t>(at));
  }
  bool room(std::size_t slots) { return at_ + slots <= memory_.capacity() || more(slots); }
  bool more(std::size_t slots);
  bool count(std::size_t nodes) { return (nodes_ += nodes) <= limits_.nodes; }
  void put(std::int32_t tag, std::int32_t argument) {
    memory_.slots()[at_++] =
        static_cast<std::int64_t>(static_cast<std::uint64_t>(static_cast<std::uint32_t>(argument)) << 32 |
                                  static_cast<std::uint32_t>(tag));
  }
  void put_double(double number);
  void mark(std::size_t at, std::int32_t flag) { memory_.slots()[at] |= flag; }

  static constexpr std::uint32_t kUnfinished = 1u << 31;

  napi_env env_ = nullptr;
  FlatMemory memory_;
  FlatShapes shapes_;
  AddressTable memo_;
  StreamLimits limits_;
  std::size_t at_ = 0, nodes_ = 0, size_ = 0;
  std::string narrow_;
  std::u16string wide_;
  std::size_t units_ = 0;
  std::vector<Bytes> buffers_;
  bool collecting_ = false;  // the collector was on and waits for us
};

}  // namespace isopy
