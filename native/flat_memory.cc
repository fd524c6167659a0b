#include "flat_memory.h"

#include <algorithm>
#include <cstring>

namespace isopy {

bool FlatMemory::hold(napi_env env, napi_value buffer, void* memory, std::size_t bytes) {
  napi_ref reference = nullptr;
  if (napi_create_reference(env, buffer, 1, &reference) != napi_ok) return false;
  if (buffer_ != nullptr) napi_delete_reference(env, buffer_);
  buffer_ = reference;
  slots_ = static_cast<std::int64_t*>(memory);
  capacity_ = bytes / sizeof(std::int64_t);
  changed_ = true;
  return true;
}

bool FlatMemory::grow(napi_env env, std::size_t slots, std::size_t used) {
  const std::size_t wanted = std::max(slots, std::min(capacity_ * 2, slots * 2));
  napi_value buffer;
  void* memory = nullptr;
  if (napi_create_arraybuffer(env, wanted * sizeof(std::int64_t), &memory, &buffer) != napi_ok) {
    bool pending = false;
    napi_value thrown;
    if (napi_is_exception_pending(env, &pending) == napi_ok && pending)
      napi_get_and_clear_last_exception(env, &thrown);
    return false;
  }
  if (used > 0) std::memcpy(memory, slots_, used * sizeof(std::int64_t));
  return hold(env, buffer, memory, wanted * sizeof(std::int64_t));
}

bool FlatMemory::adopt(napi_env env, napi_value buffer) {
  bool is_buffer = false;
  void* memory = nullptr;
  std::size_t bytes = 0;
  return napi_is_arraybuffer(env, buffer, &is_buffer) == napi_ok && is_buffer &&
         napi_get_arraybuffer_info(env, buffer, &memory, &bytes) == napi_ok &&
         hold(env, buffer, memory, bytes);
}

napi_value FlatMemory::news(napi_env env) {
  if (!changed_) return nullptr;
  changed_ = false;
  napi_value buffer = nullptr;
  napi_get_reference_value(env, buffer_, &buffer);
  return buffer;
}

}  // namespace isopy
