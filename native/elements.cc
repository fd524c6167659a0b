#include "elements.h"

#include <cstring>

namespace isopy {

namespace {

constexpr Element kSigned[] = {{"int8", true, napi_int8_array},
                               {"int16", true, napi_int16_array},
                               {"int32", true, napi_int32_array},
                               {"int64", true, napi_bigint64_array}};
constexpr Element kUnsigned[] = {{"uint8", true, napi_uint8_array},
                                 {"uint16", true, napi_uint16_array},
                                 {"uint32", true, napi_uint32_array},
                                 {"uint64", true, napi_biguint64_array}};
constexpr Element kFloat16{"float16", false, napi_uint16_array};  // Node has Float16Array from 24 on
constexpr Element kFloat32{"float32", true, napi_float32_array};
constexpr Element kFloat64{"float64", true, napi_float64_array};

const Element* of_size(const Element (&kinds)[4], Py_ssize_t size) {
  return size == 1   ? &kinds[0]
         : size == 2 ? &kinds[1]
         : size == 4 ? &kinds[2]
         : size == 8 ? &kinds[3]
                     : nullptr;
}

}  // namespace

const Element* element_of(const char* format, Py_ssize_t size) {
  if (format == nullptr) return size == 1 ? &kUnsigned[0] : nullptr;
  if (*format == '@' || *format == '=') format++;
  if (format[0] == '\0' || format[1] != '\0') return nullptr;
  if (std::strchr("bhilq", *format) != nullptr) return of_size(kSigned, size);
  if (std::strchr("BHILQ", *format) != nullptr) return of_size(kUnsigned, size);
  return *format == 'd' ? &kFloat64 : *format == 'f' ? &kFloat32 : *format == 'e' ? &kFloat16 : nullptr;
}

}  // namespace isopy
