#include "environment.h"

#include <cstring>

namespace isopy {

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

napi_value new_bytes(napi_env env, const void* data, std::size_t length) {
  napi_value buffer, view;
  void* target = nullptr;
  if (napi_create_arraybuffer(env, length, &target, &buffer) != napi_ok) return nullptr;
  if (length > 0) std::memcpy(target, data, length);
  return napi_create_typedarray(env, napi_uint8_array, length, buffer, 0, &view) == napi_ok ? view : nullptr;
}

}  // namespace isopy
