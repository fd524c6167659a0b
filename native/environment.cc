#include "environment.h"

#include "crash.h"
#include "freed_memory.h"
#include "large_copy.h"

namespace isopy {

namespace {

/// Longer bytes get memory that nobody clears first.
constexpr std::size_t kUncleared = 4096;

}  // namespace

Attachment& attachment_of(EngineContext& context) {
  if (context.attachment != nullptr) return *context.attachment;
  auto& all = context.environment->attachments;
  const auto& interpreter = context.engine->interpreter;
  for (const auto& one : all) {
    if (one->interpreter == interpreter) context.attachment = one.get();
  }
  if (context.attachment == nullptr) {
    all.push_back(std::make_unique<Attachment>());
    context.attachment = all.back().get();
    context.attachment->interpreter = interpreter;
    context.attachment->state = interpreter->new_thread_state();
    mark_javascript_thread();
  }
  return *context.attachment;
}

void forget_shapes(EngineContext& context) {
  context.flat_writer.shapes().clear();
  context.flat_reader.clear();
}

void detach_for_ever(Attachment& attachment) {
  py().PyEval_RestoreThread(attachment.state);
  if (attachment.lane) {  // another thread may get this one's ident
    py().PyObject_SetAttrString(attachment.lane.get(), "engine", py()._Py_NoneStruct);
    py().PyObject_SetAttrString(attachment.lane.get(), "javascript", py()._Py_FalseStruct);
    attachment.lane.reset();
  }
  py().PyThreadState_Clear(attachment.state);
  py().PyThreadState_DeleteCurrent();
}

napi_value throw_argument(napi_env env, const std::string& message) {
  napi_throw_type_error(env, "ERR_ARGUMENT", message.c_str());
  return nullptr;
}

bool read_bytes(napi_env env, napi_value value, const unsigned char*& data, std::size_t& length) {
  bool typed = false;
  if (value == nullptr || napi_is_typedarray(env, value, &typed) != napi_ok || !typed) return false;
  napi_typedarray_type type;
  void* bytes = nullptr;
  if (napi_get_typedarray_info(env, value, &type, &length, &bytes, nullptr, nullptr) != napi_ok) return false;
  data = static_cast<const unsigned char*>(bytes);
  return type == napi_uint8_array;
}

napi_value new_memory(napi_env env, std::size_t length, void** memory) {
  napi_value buffer = nullptr;
  if (length >= kUncleared) {
    // Node clears the memory of an ArrayBuffer and not that of a Buffer, which has an ArrayBuffer of its own.
    napi_value bytes;
    std::size_t offset = 0;
    if (napi_create_buffer(env, length, memory, &bytes) != napi_ok ||
        napi_get_typedarray_info(env, bytes, nullptr, nullptr, nullptr, &buffer, &offset) != napi_ok)
      return nullptr;
    if (length >= kLargeMemory) {
      took_large_memory();
      expect_large_writes(*memory, length);
    }
    if (offset == 0) return buffer;
  }
  return napi_create_arraybuffer(env, length, memory, &buffer) == napi_ok ? buffer : nullptr;
}

napi_value new_buffer(napi_env env, const void* data, std::size_t length) {
  void* memory = nullptr;
  napi_value buffer = new_memory(env, length, &memory);
  if (buffer != nullptr) copy_out(memory, data, length);
  return buffer;
}

napi_value new_bytes(napi_env env, const void* data, std::size_t length) {
  napi_value view, buffer = new_buffer(env, data, length);
  if (buffer == nullptr) return nullptr;
  return napi_create_typedarray(env, napi_uint8_array, length, buffer, 0, &view) == napi_ok ? view : nullptr;
}

}  // namespace isopy
