/// Reads a stream of plain data into Python objects.
///
/// The fast half of the codec: on anything unusual (an extension value, an opcode it does not
/// know, a short read, an unhashable key, a limit) it gives up without an error, and `_isopy` reads
/// the stream instead and raises what is to be raised. Iterative: hostile depth costs no stack.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gil.h"
#include "stream_writer.h"

namespace isopy {

/// Keeps its memory from message to message. One thread. Making a container may start a garbage
/// collection and with it a `__del__` that calls JavaScript, which calls Python again: so the bytes
/// are copied first, and a nested read gives up.
class StreamReader {
 public:
  /// Empty when the stream is not for us; no Python error is left.
  PyOwned read(const Gil& gil, const unsigned char* data, std::size_t size, const StreamLimits& limits);
  /// A SUBMIT stream of our own writer (PROTOCOL.md, section 3), as a list.
  PyOwned read_batch(const Gil& gil, const std::string& frame, const StreamLimits& limits);

 private:
  struct Slot {
    PyObject* object;     // owned
    std::uint32_t depth;  // levels below
    bool collected;       // by Python's garbage collector: a container, but not a tuple of data
  };

  bool run();
  bool push(PyObject* object, std::uint32_t depth = 0, bool collected = false);
  bool text(std::size_t size);
  bool make_list(std::size_t from);
  bool take_size(int bytes, std::size_t& size);
  bool append(std::size_t from);
  bool set_items(std::size_t from);
  bool add_items(std::size_t from);
  bool make_tuple(std::size_t from);
  bool frozen_set(std::size_t from);
  bool pop_mark(std::size_t& from);
  bool put(std::size_t index);
  bool get(std::size_t index);
  bool deeper(Slot& container, std::size_t from);
  void drop(std::size_t from);

  bool busy_ = false;
  bool batch_ = false;
  std::vector<unsigned char> input_;
  const unsigned char* at_ = nullptr;
  const unsigned char* end_ = nullptr;
  StreamLimits limits_;
  std::size_t nodes_ = 0, closed_ = 0;
  bool shared_containers_ = false;
  std::vector<Slot> stack_;
  std::vector<std::size_t> marks_;
  std::vector<Slot> memo_;  // borrowed depth; owned objects
};

}  // namespace isopy
