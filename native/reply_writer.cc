#include "reply_writer.h"

#include "opcode_output.h"

namespace isopy {

namespace {

constexpr std::size_t kKeptBytes = std::size_t{1} << 20;

}  // namespace

void ReplyWriter::begin(long long program, Py_ssize_t outputs) {
  if (items_.capacity() > kKeptBytes)
    items_ = std::string();  // one long text must not hold its memory for ever
  items_.clear();
  append_integer(items_, program);
  append_integer(items_, outputs);
}

bool ReplyWriter::scalar(const Gil&, PyObject* value, std::size_t most) {
  PyObject* type = type_of(value);
  if (type == py().PyLong_Type) {
    int overflow = 0;
    const long long number = py().PyLong_AsLongLongAndOverflow(value, &overflow);
    if (overflow != 0) return false;
    append_integer(items_, 0);
    append_integer(items_, number);
  } else if (type == py().PyFloat_Type) {
    append_integer(items_, 0);
    append_float(items_, py().PyFloat_AsDouble(value));
  } else if (type == py().PyUnicode_Type) {
    Py_ssize_t size = 0;
    const char* utf8 = py().PyUnicode_AsUTF8AndSize(value, &size);
    if (utf8 == nullptr) {  // lone surrogates
      py().PyErr_Clear();
      return false;
    }
    if (static_cast<std::size_t>(size) > most) return false;
    append_integer(items_, 0);
    append_length(items_, op::kShortText, op::kText, op::kText8, static_cast<std::size_t>(size));
    items_.append(utf8, static_cast<std::size_t>(size));
  } else if (type == py().PyBytes_Type) {
    char* data = nullptr;
    Py_ssize_t size = 0;
    if (py().PyBytes_AsStringAndSize(value, &data, &size) != 0) {
      py().PyErr_Clear();
      return false;
    }
    if (static_cast<std::size_t>(size) > most) return false;
    append_integer(items_, 0);
    append_length(items_, op::kShortBytes, op::kBytes, op::kBytes8, static_cast<std::size_t>(size));
    items_.append(data, static_cast<std::size_t>(size));
  } else if (value == py()._Py_NoneStruct || type == py().PyBool_Type) {
    append_integer(items_, 0);
    items_.push_back(static_cast<char>(value == py()._Py_NoneStruct   ? op::kNone
                                       : value == py()._Py_TrueStruct ? op::kTrue
                                                                      : op::kFalse));
  } else {
    return false;
  }
  return true;
}

void ReplyWriter::stream(int kind, const char* data, std::size_t size) {
  append_integer(items_, kind);
  append_length(items_, op::kShortBytes, op::kBytes, op::kBytes8, size);
  items_.append(data, size);
}

}  // namespace isopy
