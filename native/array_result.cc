#include "array_result.h"

#include "elements.h"
#include "exports.h"
#include "sync_results.h"

namespace isopy {

namespace {

bool is_simple(const Gil&, Engine& engine, PyObject* array) {
  if (!engine.methods.viewed) return false;
  // `bytearray` says that it is one, which a Uint8Array does not.
  if (type_of(array) == py().PyByteArray_Type) return false;
  const int found = py().PySet_Contains(engine.methods.viewed.get(), type_of(array));
  if (found < 0) py().PyErr_Clear();
  return found == 1;
}

/// The element of a buffer that is a row of them; else null.
const Element* in_a_row(const Py_buffer& buffer) {
  if (buffer.ndim != 1 || buffer.shape == nullptr) return nullptr;
  if (buffer.strides != nullptr && buffer.shape[0] > 1 && buffer.strides[0] != buffer.itemsize)
    return nullptr;
  const Element* element = element_of(buffer.format, buffer.itemsize);
  return element != nullptr && element->typed ? element : nullptr;
}

napi_value typed_array(napi_env env, const Element& element, std::size_t length, napi_value memory) {
  napi_value array = nullptr;
  if (memory == nullptr) return nullptr;
  return napi_create_typedarray(env, element.type, length, memory, 0, &array) == napi_ok ? array : nullptr;
}

/// Attached: lets go of a buffer that nobody keeps.
class Released {
 public:
  Released(const Gil&, Py_buffer& buffer) : buffer_(buffer) {}
  ~Released() { py().PyBuffer_Release(&buffer_); }
  Released(const Released&) = delete;
  Released& operator=(const Released&) = delete;

 private:
  Py_buffer& buffer_;
};

}  // namespace

napi_value deliver_array_copy(const Gil& gil, napi_env env, EngineContext& context, PyObject* array) {
  Engine& engine = *context.engine;
  // A rule of the user comes first.
  if (!is_simple(gil, engine, array) || py().PyList_Size(engine.methods.ruled.get()) != 0) return nullptr;
  Py_buffer buffer;
  if (py().PyObject_GetBuffer(array, &buffer, kPyBufRecords & ~kPyBufWritable) != 0) {
    py().PyErr_Clear();  // `_isopy` says what is wrong
    return nullptr;
  }
  Released released(gil, buffer);
  const Element* element = in_a_row(buffer);
  const auto size = static_cast<std::size_t>(buffer.len);
  if (element == nullptr || size > engine.limits.bytes) return nullptr;
  context.state[kOutcome] = kScalar;
  const auto length = static_cast<std::size_t>(buffer.shape[0]);
  return typed_array(env, *element, length, new_buffer(env, buffer.buf, size));
}

napi_value deliver_array_view(const Gil& gil, napi_env env, EngineContext& context, PyObject* array) {
  Engine& engine = *context.engine;
  if (!context.external_memory || !is_simple(gil, engine, array)) return nullptr;
  std::unique_ptr<Export> held = take_buffer(gil, engine.interpreter, array, 0);
  if (held == nullptr) {
    py().PyErr_Clear();  // read-only, or no plain numbers
    return nullptr;
  }
  const Py_buffer& buffer = held->buffer;
  const Element* element = in_a_row(buffer);
  const bool aligned =
      reinterpret_cast<std::uintptr_t>(held->low) % static_cast<std::size_t>(buffer.itemsize) == 0;
  if (element == nullptr || !aligned || held->size == 0) {
    release_buffer(gil, *held);
    return nullptr;
  }
  const auto length = static_cast<std::size_t>(buffer.shape[0]);
  const std::uint64_t id = new_export_id();
  napi_value memory = claim_export(env, context.environment->claims, id, std::move(held), true);
  context.state[kOutcome] = kView;
  context.state[kFlags] = static_cast<std::int32_t>(id & 0x7fffffff);
  context.state[kType] = static_cast<std::int32_t>(id >> 31);
  return typed_array(env, *element, length, memory);
}

}  // namespace isopy
