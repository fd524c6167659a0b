#include "view_stream.h"

#include <cstring>

#include "elements.h"
#include "interpreter.h"
#include "opcodes.h"

namespace isopy {

namespace {

void put_int(std::string& stream, std::int64_t number) {
  if (number == static_cast<std::int32_t>(number)) {
    const auto small = static_cast<std::int32_t>(number);
    stream += 'J';
    stream.append(reinterpret_cast<const char*>(&small), 4);
  } else {
    stream += "\x8a\x08";
    stream.append(reinterpret_cast<const char*>(&number), 8);
  }
}

void put_text(std::string& stream, const char* text) {
  stream += '\x8c';
  stream += static_cast<char>(std::strlen(text));
  stream += text;
}

}  // namespace

bool write_view(const Gil& gil, Engine& engine, PyObject* array, std::string& stream) {
  if (!engine.methods.viewed) return false;
  PyObject* type = type_of(array);
  if (py().PySet_Contains(engine.methods.viewed.get(), type) != 1) {
    py().PyErr_Clear();
    return false;
  }
  const std::uint64_t id = engine.exports.pin(gil, engine.interpreter, array, 0);
  if (id == 0) {  // read-only, or no plain numbers
    py().PyErr_Clear();
    return false;
  }
  const Export& held = *engine.exports.find(id);
  const Py_buffer& buffer = held.buffer;
  const Py_ssize_t width = buffer.itemsize;
  const std::size_t size = held.size;
  const Element* element = element_of(buffer.format, width);
  const char* dtype = type == py().PyByteArray_Type ? "bytearray"
                      : element != nullptr          ? element->dtype
                                                    : nullptr;
  bool fits =
      dtype != nullptr && (buffer.ndim == 0 || (buffer.shape != nullptr && buffer.strides != nullptr)) &&
      (size == 0 || reinterpret_cast<std::uintptr_t>(held.low) % static_cast<std::size_t>(width) == 0);
  for (int axis = 0; fits && axis < buffer.ndim; axis++) fits = buffer.strides[axis] % width == 0;
  if (!fits) {
    engine.exports.unpin(gil, id);
    return false;
  }
  stream.assign("\x80\x05(", 3);
  put_text(stream, "view");
  put_int(stream, static_cast<std::int64_t>(id));
  put_int(stream, static_cast<std::int64_t>(size));
  put_text(stream, dtype);
  stream += '(';
  for (int axis = 0; axis < buffer.ndim; axis++) put_int(stream, buffer.shape[axis]);
  stream += "t(";
  for (int axis = 0; axis < buffer.ndim; axis++) put_int(stream, buffer.strides[axis] / width);
  stream += 't';
  put_int(stream, static_cast<std::int64_t>(held.offset) / width);
  stream += "}tQ.";
  return true;
}

}  // namespace isopy
