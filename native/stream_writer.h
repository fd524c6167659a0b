/// Writes exact built-in data as a stream, without Python code running.
///
/// The fast half of the codec: whatever it does not know (a handle, a set, an integer beyond 64
/// bits, lone surrogates, depth above kDeepest, a limit) makes it give up, and `_isopy` writes the
/// value instead; so the two cannot differ in errors. Nothing here can run Python code (no
/// allocation of a container, no call), so a container cannot change while it is read.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gil.h"

namespace isopy {

struct StreamLimits {
  std::size_t bytes = SIZE_MAX;
  std::size_t nodes = SIZE_MAX;
  std::size_t depth = 10000;
};

/// Addresses seen in this message, with their memo index. Cleared in constant time.
class AddressTable {
 public:
  static constexpr std::uint32_t kAbsent = UINT32_MAX;
  void clear();
  std::uint32_t find(const void* address) const;
  void insert(const void* address, std::uint32_t index);

 private:
  struct Entry {
    const void* address = nullptr;
    std::uint32_t index = 0;
    std::uint32_t round = 0;
  };
  void grow();
  std::size_t place(const void* address) const;
  std::vector<Entry> entries_ = std::vector<Entry>(64);
  std::size_t used_ = 0;
  std::uint32_t round_ = 1;
};

/// Keeps its memory from message to message. One thread.
class StreamWriter {
 public:
  /// False when the value is not for us; nothing of Python's state is changed.
  bool write(const Gil& gil, PyObject* value, const StreamLimits& limits);
  const char* data() const { return bytes_.data(); }
  std::size_t size() const { return bytes_.size(); }

 private:
  static constexpr int kDeepest = 80;

  bool value(PyObject* object, int depth);
  bool integer(PyObject* object);
  bool text(PyObject* object, bool nested);
  bool bytes(PyObject* object);
  bool byte_array(PyObject* object);
  bool list(PyObject* object, int depth);
  bool tuple(PyObject* object, int depth);
  bool dict(PyObject* object, int depth);
  /// Writes a reference when the object was written before; 1 done, 0 not seen, -1 give up.
  int seen(PyObject* object);
  void remember(PyObject* object);

  void byte(unsigned char b) { bytes_.push_back(static_cast<char>(b)); }
  void raw(const void* data, std::size_t size) { bytes_.append(static_cast<const char*>(data), size); }

  std::string bytes_;
  AddressTable memo_;
  std::uint32_t memo_size_ = 0;
  std::size_t nodes_ = 0;
  StreamLimits limits_;
};

}  // namespace isopy
