#include "flat_reader.h"

#include <cstring>

#include "environment.h"
#include "large_copy.h"
#include "scalars.h"

namespace isopy {

using namespace flat;

namespace {

constexpr std::size_t kKeptUnits = std::size_t{1} << 20;

PyObject* shared(PyObject* object) {
  py().Py_IncRef(object);
  return object;
}

PyObject* number(double value) {
  GilHeld held;  // the whole reader runs attached
  return number_to_python(held.token(), value).release();
}

/// No new containers are examined while this lives.
class CollectorPause {
 public:
  CollectorPause() : was_on_(py().PyGC_Disable != nullptr && py().PyGC_Disable() != 0) {}
  ~CollectorPause() {
    if (was_on_) py().PyGC_Enable();
  }
  CollectorPause(const CollectorPause&) = delete;
  CollectorPause& operator=(const CollectorPause&) = delete;

 private:
  const bool was_on_;
};

}  // namespace

FlatReader::Arguments FlatReader::read(const Gil&, napi_env env, std::size_t slots, napi_value text,
                                       napi_value buffers) {
  Arguments made;
  if (reading_ || slots == 0 || slots > memory_.capacity() || !read_text((env_ = env, text))) return made;
  reading_ = true;
  {
    CollectorPause pause;
    slots_ = memory_.slots();
    buffers_ = buffers;
    at_ = text_at_ = 0;
    end_ = slots;
    if (!arguments(made)) made = {};  // the Python error stays
    memo_.clear();
    replaced_.clear();
    if (memo_.capacity() > kKeptSlots) std::vector<PyObject*>().swap(memo_);
  }
  reading_ = false;
  return made;
}

bool FlatReader::read_text(napi_value text) {
  std::size_t units = 0;
  if (text_.capacity() > kKeptUnits) text_ = std::u16string();
  text_.clear();
  if (napi_get_value_string_utf16(env_, text, nullptr, 0, &units) != napi_ok)
    return true;  // undefined: there is none
  text_.resize(units + 1);
  if (napi_get_value_string_utf16(env_, text, text_.data(), units + 1, &units) != napi_ok) return false;
  text_.resize(units);
  return true;
}

bool FlatReader::arguments(Arguments& made) {
  std::int32_t head[2];
  std::memcpy(head, slots_ + at_++, sizeof head);
  if (head[0] < 0 || head[1] < 0 || !left(static_cast<std::size_t>(head[0]))) return false;
  made.positional = PyOwned::steal(tuple(static_cast<std::size_t>(head[0]), 0, false));
  if (!made.positional) return false;
  if (head[1] > 0) {
    made.keywords = PyOwned::steal(entries(static_cast<std::size_t>(head[1]), 0));
    if (!made.keywords) return false;
  }
  return at_ == end_;
}

double FlatReader::next_double() {
  double value = 0;
  std::memcpy(&value, slots_ + at_++, sizeof value);
  return value;
}

PyObject* FlatReader::value(int depth) {
  if (!left(1) || depth > kDeepest + 1) return nullptr;
  std::int32_t head[2];
  std::memcpy(head, slots_ + at_++, sizeof head);
  const auto argument = static_cast<std::size_t>(static_cast<std::uint32_t>(head[1]));
  switch (head[0]) {
    case kInt:
      return py().PyLong_FromLongLong(head[1]);
    case kFloat:
      return left(1) ? py().PyFloat_FromDouble(next_double()) : nullptr;
    case kWide:
      return left(1) ? number(next_double()) : nullptr;
    case kShortText:
      return short_text(argument);
    case kText:
      return text(argument);
    case kNone:
      return shared(py()._Py_NoneStruct);
    case kFalse:
      return shared(py()._Py_FalseStruct);
    case kTrue:
      return shared(py()._Py_TrueStruct);
    case kBig:
      return left(1) ? py().PyLong_FromLongLong(slots_[at_++]) : nullptr;
    case kAgain:
      return argument < memo_.size() ? shared(memo_[argument]) : nullptr;
    case kBytes:
    case kByteArray:
    case kBuffer:
    case kByteBuffer:
      return remember(raw(head[0], argument));
    case kView:
      return remember(view(argument));
    default:
      return container(head[0], argument, depth);
  }
}

PyObject* FlatReader::container(std::int32_t tag, std::size_t size, int depth) {
  switch (tag) {
    case kNewDict:
      if (!define(size, depth)) return nullptr;
      [[fallthrough]];
    case kDict:
      return size < shapes_.size() && shapes_[size] ? dict(*shapes_[size], depth) : nullptr;
    case kList:
      return left(size) ? list(size, depth) : nullptr;
    case kTuple:
      return left(size) ? tuple(size, depth, true) : nullptr;
    case kObject:
    case kMap:
      return left(size) ? entries(size, depth) : nullptr;
    case kSet:
    case kFrozenset:
      return left(size) ? members(tag == kFrozenset, size, depth) : nullptr;
    default:
      return nullptr;
  }
}

/// Items are values, and runs of numbers. Every item needs a slot, so a size is at most what is left.
PyObject* FlatReader::list(std::size_t size, int depth) {
  PyOwned made = PyOwned::steal(remember(py().PyList_New(static_cast<Py_ssize_t>(size))));
  for (std::size_t i = 0; made && i < size;) {
    std::int32_t head[2];
    if (!left(1)) return nullptr;
    std::memcpy(head, slots_ + at_, sizeof head);
    std::size_t run = 1;
    if (head[0] == kRun) {
      at_++;
      run = static_cast<std::uint32_t>(head[1]);
      if (run > size - i || !left(run)) return nullptr;
    }
    for (const std::size_t end = i + run; i < end; i++) {
      PyObject* item = head[0] == kRun ? number(next_double()) : value(depth + 1);
      if (item == nullptr) return nullptr;
      py().PyList_SetItem(made.get(), static_cast<Py_ssize_t>(i), item);  // takes the reference
    }
  }
  return made.release();
}

PyObject* FlatReader::tuple(std::size_t size, int depth, bool counts) {
  PyOwned made = PyOwned::steal(py().PyTuple_New(static_cast<Py_ssize_t>(size)));
  if (counts) remember(made.get());
  for (std::size_t i = 0; made && i < size; i++) {
    PyObject* item = value(depth + 1);
    if (item == nullptr) return nullptr;
    py().PyTuple_SetItem(made.get(), static_cast<Py_ssize_t>(i), item);
  }
  return made.release();
}

PyObject* FlatReader::dict(const Shape& shape, int depth) {
  const bool large = shape.size() > 5 && py()._PyDict_NewPresized != nullptr;
  PyOwned made = PyOwned::steal(
      remember(large ? py()._PyDict_NewPresized(static_cast<Py_ssize_t>(shape.size())) : py().PyDict_New()));
  for (const PyOwned& key : shape) {
    PyOwned item = made ? PyOwned::steal(value(depth + 1)) : PyOwned();
    if (!item || py().PyDict_SetItem(made.get(), key.get(), item.get()) != 0) return nullptr;
  }
  return made.release();
}

PyObject* FlatReader::entries(std::size_t size, int depth) {
  PyOwned made = PyOwned::steal(remember(py().PyDict_New()));
  for (std::size_t i = 0; made && i < size; i++) {
    PyOwned key = PyOwned::steal(value(depth + 1));
    PyOwned item = key ? PyOwned::steal(value(depth + 1)) : PyOwned();
    if (!item || py().PyDict_SetItem(made.get(), key.get(), item.get()) != 0) return nullptr;
  }
  return made.release();
}

PyObject* FlatReader::members(bool frozen, std::size_t size, int depth) {
  // A fresh frozenset may be filled while nobody else knows it.
  PyOwned made = PyOwned::steal(remember(frozen ? py().PyFrozenSet_New(nullptr) : py().PySet_New(nullptr)));
  for (std::size_t i = 0; made && i < size; i++) {
    PyOwned member = PyOwned::steal(value(depth + 1));
    if (!member || py().PySet_Add(made.get(), member.get()) != 0) return nullptr;
  }
  return made.release();
}

PyObject* FlatReader::raw(std::int32_t tag, std::size_t argument) {
  const unsigned char* data = nullptr;
  std::size_t size = argument;
  if (tag == kBytes || tag == kByteArray) {
    if (size > kInlineBytes || !left((size + 7) / 8)) return nullptr;
    const auto* start = reinterpret_cast<const char*>(slots_ + at_);
    at_ += (size + 7) / 8;
    return tag == kBytes ? py().PyBytes_FromStringAndSize(start, static_cast<Py_ssize_t>(size))
                         : py().PyByteArray_FromStringAndSize(start, static_cast<Py_ssize_t>(size));
  }
  napi_value buffer = nullptr;
  if (napi_get_element(env_, buffers_, static_cast<std::uint32_t>(argument), &buffer) != napi_ok ||
      !read_bytes(env_, buffer, data, size))
    return nullptr;
  const auto length = static_cast<Py_ssize_t>(size);
  PyObject* made = tag == kBuffer ? py().PyBytes_FromStringAndSize(nullptr, length)
                                  : py().PyByteArray_FromStringAndSize(nullptr, length);
  if (made == nullptr) return nullptr;
  copy_in(tag == kBuffer ? py().PyBytes_AsString(made) : py().PyByteArray_AsString(made), data, size);
  return made;
}

/// `memoryview(bytearray(data)).cast(format)`
PyObject* FlatReader::view(std::size_t buffer) {
  if (!left(1)) return nullptr;
  const char format = static_cast<char>(slots_[at_++]);
  PyOwned data = PyOwned::steal(raw(kByteBuffer, buffer));
  PyOwned whole = data ? PyOwned::steal(py().PyMemoryView_FromObject(data.get())) : PyOwned();
  PyOwned name = whole ? PyOwned::steal(py().PyUnicode_InternFromString("cast")) : PyOwned();
  PyOwned letter = name ? PyOwned::steal(py().PyUnicode_FromStringAndSize(&format, 1)) : PyOwned();
  if (!letter) return nullptr;
  PyObject* args[] = {whole.get(), letter.get()};
  return py().PyObject_VectorcallMethod(name.get(), args, 2, nullptr);
}

PyObject* FlatReader::short_text(std::size_t size) {
  if (!left((size + 7) / 8)) return nullptr;
  const auto* start = reinterpret_cast<const char*>(slots_ + at_);
  at_ += (size + 7) / 8;
  return py().PyUnicode_DecodeLatin1(start, static_cast<Py_ssize_t>(size), nullptr);
}

PyObject* FlatReader::text(std::size_t units) {
  if (units > text_.size() - text_at_) return nullptr;
  const char16_t* start = text_.data() + text_at_;
  text_at_ += units;
  bool surrogates = false;
  for (std::size_t i = 0; i < units; i++) surrogates = surrogates || (start[i] & 0xf800) == 0xd800;
  const auto length = static_cast<Py_ssize_t>(units);
  if (!surrogates) return py().PyUnicode_FromKindAndData(2, start, length);
  int order = -1;  // little-endian; every platform we build for
  return py().PyUnicode_DecodeUTF16(reinterpret_cast<const char*>(start), length * 2, "surrogatepass",
                                    &order);
}

bool FlatReader::define(std::size_t number, int depth) {
  if (number >= kShapes || !left(1)) return false;
  std::int32_t head[2];
  std::memcpy(head, slots_ + at_++, sizeof head);
  const auto count = static_cast<std::size_t>(static_cast<std::uint32_t>(head[0]));
  if (count == 0 || count > kMaxKeys || !left(count)) return false;
  auto shape = std::make_unique<Shape>();
  for (std::size_t i = 0; i < count; i++) {
    shape->push_back(PyOwned::steal(value(depth + 1)));
    if (!shape->back() || type_of(shape->back().get()) != py().PyUnicode_Type) return false;
  }
  if (shapes_.empty()) shapes_.resize(kShapes);
  shapes_[number].swap(shape);
  if (shape) replaced_.push_back(std::move(shape));
  return true;
}

}  // namespace isopy
