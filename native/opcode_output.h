/// How numbers and lengths are spelled in a stream (PROTOCOL.md, section 1), for every writer of ours.
#pragma once

#include <cstdint>
#include <string>

#include "opcodes.h"

namespace isopy {

inline void store_little(char* target, std::uint64_t number, int size) {
  for (int i = 0; i < size; i++) target[i] = static_cast<char>(number >> (8 * i));
}

inline void append_integer(std::string& out, long long number) {
  char bytes[10];
  if (number >= 0 && number <= 0xff) {
    bytes[0] = op::kInt1;
    bytes[1] = static_cast<char>(number);
    out.append(bytes, 2);
  } else if (number >= 0 && number <= 0xffff) {
    bytes[0] = op::kInt2;
    store_little(bytes + 1, static_cast<std::uint64_t>(number), 2);
    out.append(bytes, 3);
  } else if (number >= INT32_MIN && number <= INT32_MAX) {
    bytes[0] = op::kInt4;
    store_little(bytes + 1, static_cast<std::uint64_t>(number), 4);
    out.append(bytes, 5);
  } else {
    bytes[0] = static_cast<char>(op::kLong1);
    bytes[1] = 8;
    store_little(bytes + 2, static_cast<std::uint64_t>(number), 8);
    out.append(bytes, 10);
  }
}

/// The opcode of a text or of bytes, by its length.
inline void append_length(std::string& out, unsigned char short_op, unsigned char op, unsigned char long_op,
                          std::size_t size) {
  char bytes[9];
  if (size <= 0xff) {
    bytes[0] = static_cast<char>(short_op);
    bytes[1] = static_cast<char>(size);
    out.append(bytes, 2);
  } else if (size <= 0xffffffff) {
    bytes[0] = static_cast<char>(op);
    store_little(bytes + 1, size, 4);
    out.append(bytes, 5);
  } else {
    bytes[0] = static_cast<char>(long_op);
    store_little(bytes + 1, size, 8);
    out.append(bytes, 9);
  }
}

inline void append_float(std::string& out, double number) {
  std::uint64_t bits = 0;
  __builtin_memcpy(&bits, &number, 8);
  bits = __builtin_bswap64(bits);  // the one big-endian opcode
  out.push_back(static_cast<char>(op::kFloat));
  out.append(reinterpret_cast<const char*>(&bits), 8);
}

}  // namespace isopy
