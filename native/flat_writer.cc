#include "flat_writer.h"

#include <algorithm>
#include <cstring>

#include "environment.h"

namespace isopy {

using namespace flat;

namespace {

constexpr long long kMaxSafe = 9007199254740991LL;
/// Half of what V8 allows, and far below.
constexpr std::size_t kMostText = std::size_t{1} << 28;
/// What a part can take of a stream, at most: so whatever could be over a limit there is never sent from
/// here.
constexpr std::size_t kStreamPart = 24;
constexpr std::size_t kFirstSlots = 4096;
constexpr std::size_t kKeptText = std::size_t{1} << 20;

}  // namespace

bool FlatWriter::write(const Gil&, napi_env env, PyObject* object, const StreamLimits& limits) {
  env_ = env;
  if (memory_.capacity() == 0 || memory_.capacity() > kKeptSlots) {
    if (!memory_.grow(env, kFirstSlots, 0)) return false;
  }
  if (wide_.capacity() > kKeptText) wide_ = std::u16string();
  if (narrow_.capacity() > kKeptText) narrow_ = std::string();
  narrow_.clear();
  wide_.clear();
  buffers_.clear();
  at_ = nodes_ = size_ = units_ = 0;
  limits_ = limits;
  memo_.clear();
  shapes_.begin();
  bool ok = value(object, 0);
  ok = ok && nodes_ * kStreamPart + units_ * 3 + size_ + 64 <= limits.bytes;
  if (collecting_) {
    py().PyGC_Enable();
    collecting_ = false;
  }
  if (!ok) shapes_.undo();
  return ok;
}

napi_value FlatWriter::beside(const Gil&, napi_env env) {
  napi_value text = nullptr, all = nullptr;
  napi_status status = napi_ok;
  if (!wide_.empty()) {
    status = napi_create_string_utf16(env, wide_.data(), wide_.size(), &text);
  } else if (!narrow_.empty()) {
    status = napi_create_string_latin1(env, narrow_.data(), narrow_.size(), &text);
  } else {
    status = napi_get_undefined(env, &text);
  }
  if (status == napi_ok && !buffers_.empty()) {
    status = napi_create_array_with_length(env, buffers_.size() + 1, &all);
    if (status == napi_ok) status = napi_set_element(env, all, 0, text);
    for (std::size_t i = 0; status == napi_ok && i < buffers_.size(); i++) {
      napi_value bytes = new_bytes(env, buffers_[i].data, buffers_[i].size);
      status = bytes == nullptr ? napi_generic_failure
                                : napi_set_element(env, all, static_cast<std::uint32_t>(i + 1), bytes);
    }
    text = all;
  }
  if (status == napi_ok) return text;
  shapes_.undo();
  return nullptr;
}

bool FlatWriter::more(std::size_t slots) {
  return at_ + slots <= kMostSlots && memory_.grow(env_, at_ + slots, at_);
}

void FlatWriter::put_double(double number) { std::memcpy(&memory_.slots()[at_++], &number, sizeof number); }

bool FlatWriter::value(PyObject* object, int depth) {
  if (!room(2) || depth > kDeepest) return false;
  PyObject* type = type_of(object);
  if (type == py().PyUnicode_Type) return text(object);
  if (type == py().PyLong_Type) return integer(object);
  if (type == py().PyFloat_Type) {
    put(kFloat, 0);
    put_double(py().PyFloat_AsDouble(object));
    return true;
  }
  if (object == py()._Py_NoneStruct) return put(kNone, 0), true;
  if (type == py().PyBool_Type) return put(object == py()._Py_TrueStruct ? kTrue : kFalse, 0), true;
  if (type == py().PyDict_Type) return dict(object, depth);
  if (type == py().PyList_Type) return list(object, depth);
  if (type == py().PyTuple_Type) return tuple(object, depth);
  if (type == py().PyBytes_Type) return bytes(kBytes, object);
  if (type == py().PyByteArray_Type) return bytes(kByteArray, object);
  if (type == py().PySet_Type) return members(kSet, object, depth);
  if (type == py().PyFrozenSet_Type) return members(kFrozenset, object, depth);
  return false;
}

bool FlatWriter::integer(PyObject* object) {
  int overflow = 0;
  const long long number = py().PyLong_AsLongLongAndOverflow(object, &overflow);
  if (overflow != 0) return false;
  if (number >= INT32_MIN && number <= INT32_MAX) {
    put(kInt, static_cast<std::int32_t>(number));
  } else if (number >= -kMaxSafe && number <= kMaxSafe) {
    put(kFloat, 0);  // a number of JavaScript either way
    put_double(static_cast<double>(number));
  } else {
    put(kBig, 0);
    memory_.slots()[at_++] = number;
  }
  return true;
}

bool FlatWriter::add_text(const char* utf8, std::size_t size, std::size_t& units) {
  if (units_ + size > kMostText) return false;
  if (wide_.empty()) wide_.assign(narrow_.begin(), narrow_.end());
  const std::size_t start = wide_.size();
  const auto* at = reinterpret_cast<const unsigned char*>(utf8);
  for (const auto* end = at + size; at < end;) {
    const unsigned char lead = *at++;
    if (lead < 0x80) {
      wide_.push_back(lead);
    } else if (lead < 0xe0) {
      wide_.push_back(static_cast<char16_t>((lead & 0x1f) << 6 | (*at++ & 0x3f)));
    } else if (lead < 0xf0) {
      wide_.push_back(static_cast<char16_t>((lead & 0x0f) << 12 | (at[0] & 0x3f) << 6 | (at[1] & 0x3f)));
      at += 2;
    } else {
      const std::uint32_t code =
          (((lead & 0x07u) << 18) | ((at[0] & 0x3fu) << 12) | ((at[1] & 0x3fu) << 6) | (at[2] & 0x3fu)) -
          0x10000;
      wide_.push_back(static_cast<char16_t>(0xd800 + (code >> 10)));
      wide_.push_back(static_cast<char16_t>(0xdc00 + (code & 0x3ff)));
      at += 3;
    }
  }
  units = wide_.size() - start;
  return true;
}

/// Strings have no identity in JavaScript; a repeated one is decoded once.
bool FlatWriter::text(PyObject* object) {
  const bool shared = !is_unshared(object);
  if (shared) {
    const std::uint32_t known = memo_.find(object);
    if (known != AddressTable::kAbsent) {
      mark(known, kKept);
      return put(kTextAgain, static_cast<std::int32_t>(known)), true;
    }
    memo_.insert(object, static_cast<std::uint32_t>(at_));
  }
  Py_ssize_t bytes = 0;
  const char* utf8 = py().PyUnicode_AsUTF8AndSize(object, &bytes);
  if (utf8 == nullptr) {  // lone surrogates
    py().PyErr_Clear();
    return false;
  }
  const auto size = static_cast<std::size_t>(bytes);
  std::size_t units = size;
  if (py().PyUnicode_GetLength(object) == bytes && wide_.empty()) {
    if (units_ + size > kMostText) return false;
    narrow_.append(utf8, size);
  } else if (!add_text(utf8, size, units)) {
    return false;
  }
  units_ += units;
  put(kText, static_cast<std::int32_t>(units));
  return true;
}

bool FlatWriter::again(PyObject* object, Tag tag, bool& ok) {
  ok = true;
  if (is_unshared(object)) return false;
  const std::uint32_t known = memo_.find(object);
  if (known == AddressTable::kAbsent) return false;
  const std::size_t at = known & ~kUnfinished;
  if ((known & kUnfinished) != 0) {
    // Inside itself. JavaScript can make lists and dicts before their parts.
    ok = tag == kList || tag == kDict;
    mark(at, kOpen | kKept);
  } else {
    mark(at, kKept);
  }
  put(kAgain, static_cast<std::int32_t>(at));
  return true;
}

bool FlatWriter::list(PyObject* object, int depth) {
  bool ok = true;
  if (again(object, kList, ok)) return ok;
  const auto size = static_cast<std::size_t>(py().PyList_Size(object));
  if (!count(size) || size > kMostSlots) return false;
  const std::size_t at = at_;
  opened(object);
  if (size < 4 || !numbers(object, size)) {
    if (!room(2)) return false;
    put(kList, static_cast<std::int32_t>(size));
    for (std::size_t i = 0; i < size; i++) {
      if (!value(py().PyList_GetItem(object, static_cast<Py_ssize_t>(i)), depth + 1)) return false;
    }
  }
  closed(object, at);
  return true;
}

/// A list of nothing but floats, or of ints of 32 bits; false, and nothing written, when it is no such list.
bool FlatWriter::numbers(PyObject* object, std::size_t size) {
  PyObject* type = type_of(py().PyList_GetItem(object, 0));
  const std::size_t at = at_;
  if (type == py().PyFloat_Type) {
    if (!room(size + 2)) return false;
    put(kFloats, static_cast<std::int32_t>(size));
    for (std::size_t i = 0; i < size; i++) {
      PyObject* item = py().PyList_GetItem(object, static_cast<Py_ssize_t>(i));
      if (type_of(item) != type) return at_ = at, false;
      put_double(py().PyFloat_AsDouble(item));
    }
    return true;
  }
  if (type != py().PyLong_Type || !room((size + 1) / 2 + 2)) return false;
  put(kInts, static_cast<std::int32_t>(size));
  auto* out = reinterpret_cast<std::int32_t*>(memory_.slots() + at_);
  for (std::size_t i = 0; i < size; i++) {
    PyObject* item = py().PyList_GetItem(object, static_cast<Py_ssize_t>(i));
    if (type_of(item) != type) return at_ = at, false;
    int overflow = 0;
    const long long number = py().PyLong_AsLongLongAndOverflow(item, &overflow);
    if (overflow != 0 || number < INT32_MIN || number > INT32_MAX) return at_ = at, false;
    out[i] = static_cast<std::int32_t>(number);
  }
  at_ += (size + 1) / 2;
  return true;
}

bool FlatWriter::tuple(PyObject* object, int depth) {
  const auto size = static_cast<std::size_t>(py().PyTuple_Size(object));
  bool ok = true;
  if (size > 0 && again(object, kTuple, ok)) return ok;
  if (!count(size) || size > kMostSlots) return false;
  const std::size_t at = at_;
  if (size > 0) opened(object);
  put(kTuple, static_cast<std::int32_t>(size));
  for (std::size_t i = 0; i < size; i++) {
    if (!value(py().PyTuple_GetItem(object, static_cast<Py_ssize_t>(i)), depth + 1)) return false;
  }
  if (size > 0) closed(object, at);
  return true;
}

bool FlatWriter::dict(PyObject* object, int depth) {
  bool ok = true;
  if (again(object, kDict, ok)) return ok;
  const auto size = static_cast<std::size_t>(py().PyDict_Size(object));
  if (size > kMostSlots / 4 || !count(size * 2)) return false;
  const std::size_t at = at_;
  opened(object);
  if (size == 0 || size > kMaxKeys) {
    if (!entries(object, size, depth)) return false;
    return closed(object, at), true;
  }
  PyObject *keys[kMaxKeys], *values[kMaxKeys];
  Py_ssize_t position = 0;
  std::size_t read = 0;
  while (read < size && py().PyDict_Next(object, &position, &keys[read], &values[read]) != 0) read++;
  if (read != size) return false;
  std::int32_t shape = 0;
  switch (shapes_.find(keys, size, shape)) {
    case FlatShapes::Found::kKnown:
      put(kDict, shape);
      break;
    case FlatShapes::Found::kNew:
      put(kNewDict, shape);
      put(static_cast<std::int32_t>(size), 0);
      for (std::size_t i = 0; i < size; i++) {
        if (!room(2) || !text(keys[i])) return false;
      }
      break;
    default:
      if (!entries(object, size, depth)) return false;
      return closed(object, at), true;
  }
  for (std::size_t i = 0; i < size; i++) {
    if (!value(values[i], depth + 1)) return false;
  }
  closed(object, at);
  return true;
}

bool FlatWriter::entries(PyObject* object, std::size_t size, int depth) {
  PyObject *key = nullptr, *item = nullptr;
  Py_ssize_t position = 0;
  bool text_only = true;
  while (text_only && py().PyDict_Next(object, &position, &key, &item) != 0)
    text_only = type_of(key) == py().PyUnicode_Type;
  if (!room(2)) return false;
  put(text_only ? kObject : kMap, static_cast<std::int32_t>(size));
  position = 0;
  while (py().PyDict_Next(object, &position, &key, &item) != 0) {
    if (!value(key, depth + 1) || !value(item, depth + 1)) return false;
  }
  return true;
}

/// Its iterator is an object that the collector knows, so the collector has to wait: a finalizer could change
/// what is being written.
bool FlatWriter::members(Tag tag, PyObject* object, int depth) {
  bool ok = true;
  if (again(object, tag, ok)) return ok;
  const auto size = static_cast<std::size_t>(py().PySet_Size(object));
  if (!count(size) || size > kMostSlots || py().PyGC_Disable == nullptr) return false;
  if (!collecting_) collecting_ = py().PyGC_Disable() != 0;
  const std::size_t at = at_;
  opened(object);
  put(tag, static_cast<std::int32_t>(size));
  PyOwned iterator = PyOwned::steal(py().PyObject_GetIter(object));
  for (std::size_t i = 0; iterator && i < size; i++) {
    PyOwned member = PyOwned::steal(py().PyIter_Next(iterator.get()));
    // The set keeps it alive.
    if (!member) break;
    PyObject* borrowed = member.get();
    member.reset();
    if (!value(borrowed, depth + 1)) return false;
  }
  if (py().PyErr_Occurred() != nullptr) {
    py().PyErr_Clear();
    return false;
  }
  closed(object, at);
  return static_cast<bool>(iterator);
}

bool FlatWriter::bytes(Tag tag, PyObject* object) {
  bool ok = true;
  if (again(object, tag, ok)) return ok;
  const char* data = nullptr;
  std::size_t size = 0;
  if (tag == kBytes) {
    char* start = nullptr;
    Py_ssize_t length = 0;
    if (py().PyBytes_AsStringAndSize(object, &start, &length) != 0) return py().PyErr_Clear(), false;
    data = start;
    size = static_cast<std::size_t>(length);
  } else {
    data = py().PyByteArray_AsString(object);
    size = static_cast<std::size_t>(py().PyByteArray_Size(object));
  }
  const std::size_t at = at_;
  size_ += size;
  if (size > kInlineBytes) {
    put(tag == kBytes ? kBuffer : kByteBuffer, static_cast<std::int32_t>(buffers_.size()));
    buffers_.push_back({data, size});
  } else {
    const std::size_t slots = (size + 7) / 8;
    if (!room(slots + 2)) return false;
    put(tag, static_cast<std::int32_t>(size));
    if (size > 0) std::memcpy(memory_.slots() + at_, data, size);
    at_ += slots;
  }
  closed(object, at);
  return true;
}

}  // namespace isopy
