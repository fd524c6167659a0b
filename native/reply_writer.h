/// Writes one reply as the items of a REPLY stream (PROTOCOL.md, section 4).
#pragma once

#include <string>

#include "gil.h"

namespace isopy {

class ReplyWriter {
 public:
  void begin(long long program, Py_ssize_t outputs);
  /// Kind 0. False when it is no scalar, or one that only Python can write (beyond 64 bits, lone
  /// surrogates, longer than `most` bytes); nothing is written then.
  bool scalar(const Gil& gil, PyObject* value, std::size_t most);
  /// Kinds 1 and 2.
  void stream(int kind, const char* data, std::size_t size);
  const std::string& items() const { return items_; }

 private:
  std::string items_;
};

}  // namespace isopy
