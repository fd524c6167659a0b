#include "scalars.h"

#include <cstring>
#include <memory>
#include <vector>

namespace isopy {

namespace {

constexpr long long kMaxSafe = 9007199254740991LL;

/// Copies UTF-16 to bytes as long as it is one-byte text; whether all of it was. Without a branch in
/// the loops, so that compilers use vectors: 1 kB takes 40 ns instead of 600.
#if defined(__GNUC__) && !defined(__clang__)
__attribute__((optimize("O3")))
#endif
bool narrow(const char16_t* text, std::size_t length, unsigned char* bytes) {
  char16_t seen = 0;
  for (std::size_t i = 0; i < length; i++) seen = static_cast<char16_t>(seen | text[i]);
  if (seen > 0xFF) return false;
  for (std::size_t i = 0; i < length; i++) bytes[i] = static_cast<unsigned char>(text[i]);
  return true;
}

/// Node-API does not say whether a string is one-byte text, so it comes as UTF-16 in any case.
PyOwned string_to_python(napi_env env, napi_value value) {
  constexpr std::size_t kSmall = 2048;
  char16_t small[kSmall];
  unsigned char small_bytes[kSmall];
  std::unique_ptr<char16_t[]> large;
  std::unique_ptr<unsigned char[]> large_bytes;
  std::size_t length = 0;
  if (napi_get_value_string_utf16(env, value, small, kSmall, &length) != napi_ok) return {};
  const char16_t* text = small;
  unsigned char* bytes = small_bytes;
  if (length >= kSmall - 1) {  // perhaps cut: ask for the length
    if (napi_get_value_string_utf16(env, value, nullptr, 0, &length) != napi_ok) return {};
    large.reset(new char16_t[length + 1]);
    large_bytes.reset(new unsigned char[length + 1]);
    if (napi_get_value_string_utf16(env, value, large.get(), length + 1, &length) != napi_ok) return {};
    text = large.get();
    bytes = large_bytes.get();
  }
  if (narrow(text, length, bytes)) {
    return PyOwned::steal(py().PyUnicode_DecodeLatin1(reinterpret_cast<const char*>(bytes),
                                                      static_cast<Py_ssize_t>(length), nullptr));
  }
  int order = -1;  // little-endian; every platform we build for
  return PyOwned::steal(py().PyUnicode_DecodeUTF16(
      reinterpret_cast<const char*>(text), static_cast<Py_ssize_t>(length * 2), "surrogatepass", &order));
}

PyOwned bigint_to_python(napi_env env, napi_value value) {
  int sign = 0;
  std::size_t words = 0;
  if (napi_get_value_bigint_words(env, value, nullptr, &words, nullptr) != napi_ok) return {};
  std::vector<std::uint64_t> magnitude(words + 1, 0);  // one more: the sign bit of two's complement
  if (napi_get_value_bigint_words(env, value, &sign, &words, magnitude.data()) != napi_ok) return {};
  if (sign != 0) {
    std::uint64_t carry = 1;
    for (auto& word : magnitude) {
      word = ~word + carry;
      carry = carry != 0 && word == 0 ? 1 : 0;
    }
  }
  return PyOwned::steal(py()._PyLong_FromByteArray(reinterpret_cast<const unsigned char*>(magnitude.data()),
                                                   magnitude.size() * 8, 1, 1));
}

/// Beyond 64 bits, and rare: through the public `int.to_bytes`.
Conversion big_int_to_javascript(napi_env env, PyObject* object, napi_value& result) {
  PyOwned bit_length = PyOwned::steal(py().PyUnicode_InternFromString("bit_length"));
  PyObject* self[] = {object};
  PyOwned bits = bit_length
                     ? PyOwned::steal(py().PyObject_VectorcallMethod(bit_length.get(), self, 1, nullptr))
                     : PyOwned();
  if (!bits) return Conversion::kFailed;
  int overflow = 0;
  const long long count = py().PyLong_AsLongLongAndOverflow(bits.get(), &overflow);
  const std::size_t words = static_cast<std::size_t>(count / 64 + 1);
  PyOwned name = PyOwned::steal(py().PyUnicode_InternFromString("to_bytes"));
  PyOwned size = PyOwned::steal(py().PyLong_FromLongLong(static_cast<long long>(words * 8)));
  PyOwned order = PyOwned::steal(py().PyUnicode_InternFromString("little"));
  PyOwned keyword = PyOwned::steal(py().PyUnicode_InternFromString("signed"));
  PyOwned keywords = PyOwned::steal(py().PyTuple_New(1));
  if (!name || !size || !order || !keyword || !keywords) return Conversion::kFailed;
  if (py().PyTuple_SetItem(keywords.get(), 0, keyword.release()) != 0) return Conversion::kFailed;
  PyObject* args[] = {object, size.get(), order.get(), py()._Py_TrueStruct};
  PyOwned bytes = PyOwned::steal(py().PyObject_VectorcallMethod(name.get(), args, 3, keywords.get()));
  char* data = nullptr;
  Py_ssize_t length = 0;
  if (!bytes || py().PyBytes_AsStringAndSize(bytes.get(), &data, &length) != 0) return Conversion::kFailed;
  std::vector<std::uint64_t> magnitude(words);
  std::memcpy(magnitude.data(), data, words * 8);
  const bool negative = (magnitude.back() >> 63) != 0;
  if (negative) {
    std::uint64_t carry = 1;
    for (auto& word : magnitude) {
      word = ~word + carry;
      carry = carry != 0 && word == 0 ? 1 : 0;
    }
  }
  // V8 refuses more than 2^24 bits or so: a RangeError is pending then, and the caller returns.
  napi_create_bigint_words(env, negative ? 1 : 0, words, magnitude.data(), &result);
  return Conversion::kDone;
}

Conversion int_to_javascript(napi_env env, PyObject* object, napi_value& result) {
  int overflow = 0;
  const long long number = py().PyLong_AsLongLongAndOverflow(object, &overflow);
  if (overflow != 0) return big_int_to_javascript(env, object, result);
  if (number >= -kMaxSafe && number <= kMaxSafe) {
    napi_create_double(env, static_cast<double>(number), &result);
  } else {
    napi_create_bigint_int64(env, number, &result);
  }
  return Conversion::kDone;
}

Conversion str_to_javascript(napi_env env, PyObject* object, napi_value& result) {
  Py_ssize_t bytes = 0;
  const char* utf8 = py().PyUnicode_AsUTF8AndSize(object, &bytes);
  if (utf8 != nullptr) {
    const bool ascii = py().PyUnicode_GetLength(object) == bytes;
    const auto size = static_cast<std::size_t>(bytes);
    // On failure (longer than V8 allows) a JS exception is pending.
    if (ascii) {
      napi_create_string_latin1(env, utf8, size, &result);
    } else {
      napi_create_string_utf8(env, utf8, size, &result);
    }
    return Conversion::kDone;
  }
  py().PyErr_Clear();  // lone surrogates
  PyOwned encoded = PyOwned::steal(py().PyUnicode_AsEncodedString(object, "utf-16-le", "surrogatepass"));
  char* data = nullptr;
  if (!encoded || py().PyBytes_AsStringAndSize(encoded.get(), &data, &bytes) != 0) return Conversion::kFailed;
  napi_create_string_utf16(env, reinterpret_cast<const char16_t*>(data), static_cast<std::size_t>(bytes) / 2,
                           &result);
  return Conversion::kDone;
}

}  // namespace

bool number_to_javascript(const Gil&, PyObject* object, double& number) {
  PyObject* type = type_of(object);
  if (type == py().PyFloat_Type) {
    number = py().PyFloat_AsDouble(object);
    return true;
  }
  if (type != py().PyLong_Type) return false;
  int overflow = 0;
  const long long whole = py().PyLong_AsLongLongAndOverflow(object, &overflow);
  number = static_cast<double>(whole);
  return overflow == 0 && whole >= -kMaxSafe && whole <= kMaxSafe;
}

PyOwned scalar_to_python(const Gil& gil, napi_env env, napi_value value) {
  napi_valuetype type;
  if (napi_typeof(env, value, &type) != napi_ok) return {};
  switch (type) {
    case napi_number: {
      double number = 0;
      napi_get_value_double(env, value, &number);
      return number_to_python(gil, number);
    }
    case napi_string:
      return string_to_python(env, value);
    case napi_boolean: {
      bool truth = false;
      napi_get_value_bool(env, value, &truth);
      return PyOwned::share(truth ? py()._Py_TrueStruct : py()._Py_FalseStruct);
    }
    case napi_undefined:
    case napi_null:
      return PyOwned::share(py()._Py_NoneStruct);
    case napi_bigint:
      return bigint_to_python(env, value);
    default:
      return {};
  }
}

Conversion scalar_to_javascript(const Gil&, napi_env env, PyObject* object, napi_value& result) {
  PyObject* type = type_of(object);
  if (type == py().PyFloat_Type) {
    napi_create_double(env, py().PyFloat_AsDouble(object), &result);
    return Conversion::kDone;
  }
  if (type == py().PyLong_Type) return int_to_javascript(env, object, result);
  if (type == py().PyUnicode_Type) return str_to_javascript(env, object, result);
  if (object == py()._Py_NoneStruct) {
    napi_get_null(env, &result);
    return Conversion::kDone;
  }
  if (type == py().PyBool_Type) {
    napi_get_boolean(env, object == py()._Py_TrueStruct, &result);
    return Conversion::kDone;
  }
  return Conversion::kNotScalar;
}

}  // namespace isopy
