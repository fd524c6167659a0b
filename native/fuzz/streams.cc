/// libFuzzer on what reads bytes in C++: streams and batches.
///
/// Any bytes are either given up or become a value; a value that was read is written and read again,
/// and must be written as the same bytes then. Built and run by scripts/lanes/fuzz.mjs.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "../stream_reader.h"
#include "../stream_writer.h"

namespace {

constexpr isopy::StreamLimits kLimits{1 << 20, 1 << 16, 1000};

[[noreturn]] void wrong(const char* what) {
  std::fprintf(stderr, "wrong: %s\n", what);
  std::abort();
}

std::string written(const isopy::Gil& gil, isopy::StreamWriter& writer, const isopy::PyOwned& value) {
  return writer.write(gil, value.get(), kLimits) ? std::string(writer.data(), writer.size()) : std::string();
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  const char* library = std::getenv("ISOPY_FUZZ_LIBRARY");
  const std::string error = isopy::load_python(library != nullptr ? library : "", false, {});
  if (!error.empty()) wrong(error.c_str());
  isopy::py().Py_InitializeEx(0);
  isopy::verify_layout();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size == 0) return 0;
  static isopy::StreamReader reader;
  static isopy::StreamWriter writer;
  isopy::GilHeld held;
  const isopy::Gil& gil = held.token();
  const bool batch = (data[0] & 1) != 0;
  isopy::PyOwned first =
      batch ? reader.read_batch(gil, std::string(reinterpret_cast<const char*>(data + 1), size - 1), kLimits)
            : reader.read(gil, data + 1, size - 1, kLimits);
  if (isopy::py().PyErr_Occurred() != nullptr) wrong("reading left a Python error");
  if (!first) return 0;
  const std::string once = written(gil, writer, first);
  if (isopy::py().PyErr_Occurred() != nullptr) wrong("writing left a Python error");
  if (once.empty()) return 0;
  isopy::PyOwned second =
      reader.read(gil, reinterpret_cast<const unsigned char*>(once.data()), once.size(), kLimits);
  if (!second) wrong("what was written cannot be read");
  if (written(gil, writer, second) != once) wrong("written again, it differs");
  return 0;
}
