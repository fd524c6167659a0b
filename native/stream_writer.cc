#include "stream_writer.h"

#include <cstring>

#include "opcode_output.h"

namespace isopy {

namespace {

/// A tuple that is being written: met again, it is part of a cycle.
constexpr std::uint32_t kUnfinished = UINT32_MAX - 1;

}  // namespace

void AddressTable::clear() {
  used_ = 0;
  if (++round_ == 0) {  // wrapped: old entries could look current
    for (Entry& entry : entries_) entry.round = 0;
    round_ = 1;
  }
}

std::size_t AddressTable::place(const void* address) const {
  const std::size_t mask = entries_.size() - 1;
  std::size_t at = (reinterpret_cast<std::uintptr_t>(address) >> 4) * 0x9E3779B97F4A7C15ull >> 20 & mask;
  while (entries_[at].round == round_ && entries_[at].address != address) at = (at + 1) & mask;
  return at;
}

std::uint32_t AddressTable::find(const void* address) const {
  const Entry& entry = entries_[place(address)];
  return entry.round == round_ ? entry.index : kAbsent;
}

void AddressTable::insert(const void* address, std::uint32_t index) {
  if (used_ * 2 >= entries_.size()) grow();
  Entry& entry = entries_[place(address)];
  if (entry.round != round_) used_++;
  entry = {address, index, round_};
}

void AddressTable::grow() {
  std::vector<Entry> old(entries_.size() * 4);
  old.swap(entries_);
  for (const Entry& entry : old) {
    if (entry.round == round_) entries_[place(entry.address)] = entry;
  }
}

bool StreamWriter::write(const Gil&, PyObject* object, const StreamLimits& limits) {
  // A message of unusual size must not hold its memory for ever.
  if (bytes_.capacity() > (std::size_t{8} << 20)) bytes_ = std::string();
  bytes_.clear();
  memo_.clear();
  memo_size_ = 0;
  nodes_ = 0;
  limits_ = limits;
  byte(op::kProto);
  byte(5);
  if (!value(object, 0)) return false;
  byte(op::kStop);
  return bytes_.size() <= limits.bytes;
}

bool StreamWriter::value(PyObject* object, int depth) {
  if (++nodes_ > limits_.nodes || bytes_.size() > limits_.bytes || depth > kDeepest) return false;
  PyObject* type = type_of(object);
  if (type == py().PyUnicode_Type) return text(object, depth > 0);
  if (type == py().PyLong_Type) return integer(object);
  if (type == py().PyFloat_Type) {
    append_float(bytes_, py().PyFloat_AsDouble(object));
    return true;
  }
  if (object == py()._Py_NoneStruct) return byte(op::kNone), true;
  if (type == py().PyBool_Type) return byte(object == py()._Py_TrueStruct ? op::kTrue : op::kFalse), true;
  if (type == py().PyDict_Type) return dict(object, depth);
  if (type == py().PyList_Type) return list(object, depth);
  if (type == py().PyTuple_Type) return tuple(object, depth);
  if (type == py().PyBytes_Type) return bytes(object);
  if (type == py().PyByteArray_Type) return byte_array(object);
  return false;
}

bool StreamWriter::integer(PyObject* object) {
  int overflow = 0;
  const long long number = py().PyLong_AsLongLongAndOverflow(object, &overflow);
  if (overflow != 0) return false;
  append_integer(bytes_, number);
  return true;
}

/// Strings have no identity in JavaScript; they are shared because a reference is shorter, and
/// because JavaScript then decodes a repeated key once.
bool StreamWriter::text(PyObject* object, bool nested) {
  const bool shared = nested && !is_unshared(object);
  if (shared) {
    const int known = seen(object);
    if (known != 0) return known > 0;
  }
  Py_ssize_t size = 0;
  const char* utf8 = py().PyUnicode_AsUTF8AndSize(object, &size);
  if (utf8 == nullptr) {  // lone surrogates
    py().PyErr_Clear();
    return false;
  }
  append_length(bytes_, op::kShortText, op::kText, op::kText8, static_cast<std::size_t>(size));
  raw(utf8, static_cast<std::size_t>(size));
  if (shared) remember(object);
  return true;
}

bool StreamWriter::bytes(PyObject* object) {
  const bool shared = !is_unshared(object);
  if (shared) {
    const int known = seen(object);
    if (known != 0) return known > 0;
  }
  char* data = nullptr;
  Py_ssize_t size = 0;
  if (py().PyBytes_AsStringAndSize(object, &data, &size) != 0) {
    py().PyErr_Clear();
    return false;
  }
  append_length(bytes_, op::kShortBytes, op::kBytes, op::kBytes8, static_cast<std::size_t>(size));
  raw(data, static_cast<std::size_t>(size));
  if (shared) remember(object);
  return true;
}

bool StreamWriter::byte_array(PyObject* object) {
  const int known = seen(object);
  if (known != 0) return known > 0;
  const auto size = static_cast<std::size_t>(py().PyByteArray_Size(object));
  char out[9] = {static_cast<char>(op::kByteArray8)};
  store_little(out + 1, size, 8);
  raw(out, 9);
  raw(py().PyByteArray_AsString(object), size);
  remember(object);
  return true;
}

int StreamWriter::seen(PyObject* object) {
  const std::uint32_t index = memo_.find(object);
  if (index == AddressTable::kAbsent) return 0;
  if (index == kUnfinished) return -1;
  char out[5];
  if (index <= 0xff) {
    out[0] = op::kGet;
    out[1] = static_cast<char>(index);
    raw(out, 2);
  } else {
    out[0] = op::kLongGet;
    store_little(out + 1, index, 4);
    raw(out, 5);
  }
  return 1;
}

void StreamWriter::remember(PyObject* object) {
  byte(op::kMemoize);
  memo_.insert(object, memo_size_++);
}

bool StreamWriter::list(PyObject* object, int depth) {
  if (!is_unshared(object)) {
    const int known = seen(object);
    if (known != 0) return known > 0;
    byte(op::kEmptyList);
    remember(object);
  } else {
    byte(op::kEmptyList);
  }
  const Py_ssize_t size = py().PyList_Size(object);
  if (size == 0) return true;
  if (size > 1) byte(op::kMark);
  for (Py_ssize_t i = 0; i < size; i++) {
    if (!value(py().PyList_GetItem(object, i), depth + 1)) return false;
  }
  byte(size > 1 ? op::kAppends : op::kAppend);
  return true;
}

bool StreamWriter::tuple(PyObject* object, int depth) {
  const Py_ssize_t size = py().PyTuple_Size(object);
  if (size == 0) return byte(op::kEmptyTuple), true;
  const bool shared = !is_unshared(object);
  if (shared) {
    const int known = seen(object);
    if (known != 0) return known > 0;
    memo_.insert(object, kUnfinished);
  }
  if (size > 3) byte(op::kMark);
  for (Py_ssize_t i = 0; i < size; i++) {
    if (!value(py().PyTuple_GetItem(object, i), depth + 1)) return false;
  }
  byte(size > 3 ? static_cast<unsigned char>(op::kTuple)
                : static_cast<unsigned char>(op::kTuple1 + size - 1));
  if (shared) remember(object);
  return true;
}

bool StreamWriter::dict(PyObject* object, int depth) {
  if (!is_unshared(object)) {
    const int known = seen(object);
    if (known != 0) return known > 0;
    byte(op::kEmptyDict);
    remember(object);
  } else {
    byte(op::kEmptyDict);
  }
  const Py_ssize_t size = py().PyDict_Size(object);
  if (size == 0) return true;
  if (size > 1) byte(op::kMark);
  PyObject *key = nullptr, *item = nullptr;
  Py_ssize_t position = 0;
  while (py().PyDict_Next(object, &position, &key, &item) != 0) {
    const bool plain_key = type_of(key) == py().PyUnicode_Type;
    if (!(plain_key ? text(key, depth > 0) : value(key, depth + 1)) || !value(item, depth + 1)) return false;
  }
  byte(size > 1 ? op::kSetItems : op::kSetItem);
  return true;
}

}  // namespace isopy
