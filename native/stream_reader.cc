#include "stream_reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "opcodes.h"

namespace isopy {

namespace {

/// A message of unusual size must not hold its memory for ever.
constexpr std::size_t kKeptBytes = std::size_t{8} << 20;

std::uint64_t load_little(const unsigned char* data, int size) {
  std::uint64_t number = 0;
  for (int i = 0; i < size; i++) number |= static_cast<std::uint64_t>(data[i]) << (8 * i);
  return number;
}

/// Containers may hold more containers; the rest has no depth.
bool is_container(PyObject* object) {
  PyObject* type = type_of(object);
  return type == py().PyList_Type || type == py().PyDict_Type || type == py().PyTuple_Type ||
         type == py().PySet_Type || type == py().PyFrozenSet_Type;
}

}  // namespace

PyOwned StreamReader::read(const Gil&, const unsigned char* data, std::size_t size,
                           const StreamLimits& limits) {
  if (busy_ || size > limits.bytes) return {};
  busy_ = true;
  input_.assign(data, data + size);
  at_ = input_.data();
  end_ = at_ + size;
  limits_ = limits;
  nodes_ = closed_ = 0;
  shared_containers_ = false;
  PyObject* result = nullptr;
  const bool ok = run() && stack_.size() == 1 && marks_.empty();
  if (ok) {
    result = stack_.back().object;
    stack_.pop_back();
  } else {
    py().PyErr_Clear();
  }
  drop(0);
  for (Slot& slot : memo_) {
    if (slot.object != nullptr) py().Py_DecRef(slot.object);
  }
  memo_.clear();
  marks_.clear();
  if (input_.capacity() > kKeptBytes) std::vector<unsigned char>().swap(input_);
  busy_ = false;
  return PyOwned::steal(result);
}

PyOwned StreamReader::read_batch(const Gil& gil, const std::string& frame, const StreamLimits& limits) {
  if (busy_) return {};
  batch_ = true;
  // Each program was written within the limits; a batch may hold any number of them.
  PyOwned programs = read(gil, reinterpret_cast<const unsigned char*>(frame.data()), frame.size(),
                          {limits.bytes, SIZE_MAX, limits.depth});
  batch_ = false;
  return programs && type_of(programs.get()) == py().PyList_Type ? std::move(programs) : PyOwned();
}

void StreamReader::drop(std::size_t from) {
  while (stack_.size() > from) {
    PyObject* object = stack_.back().object;
    stack_.pop_back();
    py().Py_DecRef(object);
  }
}

bool StreamReader::push(PyObject* object, std::uint32_t depth, bool collected) {
  if (object == nullptr) return false;
  stack_.push_back({object, depth, collected});
  return ++nodes_ <= limits_.nodes;
}

bool StreamReader::take_size(int bytes, std::size_t& size) {
  if (end_ - at_ < bytes) return false;
  size = static_cast<std::size_t>(load_little(at_, bytes));
  at_ += bytes;
  return size <= static_cast<std::size_t>(end_ - at_);
}

bool StreamReader::text(std::size_t size) {
  PyObject* object = py().PyUnicode_DecodeUTF8(reinterpret_cast<const char*>(at_),
                                               static_cast<Py_ssize_t>(size), "surrogatepass");
  at_ += size;
  return push(object);
}

bool StreamReader::pop_mark(std::size_t& from) {
  if (marks_.empty()) return false;
  from = marks_.back();
  marks_.pop_back();
  return from <= stack_.size();
}

/// The items from `from` on go into the container below them.
bool StreamReader::deeper(Slot& container, std::size_t from) {
  std::uint32_t depth = container.depth;
  for (std::size_t i = from; i < stack_.size(); i++) depth = std::max(depth, stack_[i].depth + 1);
  container.depth = depth;
  closed_++;
  // A container that came out of the memo hides how deep it is: then only few may be closed.
  return depth <= limits_.depth && (!shared_containers_ || closed_ <= limits_.depth);
}

bool StreamReader::append(std::size_t from) {
  const std::size_t floor = marks_.empty() ? 0 : marks_.back();
  if (from < floor + 1) return false;
  Slot& list = stack_[from - 1];
  if (type_of(list.object) != py().PyList_Type || !deeper(list, from)) return false;
  for (std::size_t i = from; i < stack_.size(); i++) {
    if (py().PyList_Append(list.object, stack_[i].object) != 0) return false;
  }
  drop(from);
  return true;
}

bool StreamReader::set_items(std::size_t from) {
  const std::size_t floor = marks_.empty() ? 0 : marks_.back();
  if (from < floor + 1 || (stack_.size() - from) % 2 != 0) return false;
  Slot& dict = stack_[from - 1];
  if (type_of(dict.object) != py().PyDict_Type || !deeper(dict, from)) return false;
  for (std::size_t i = from; i < stack_.size(); i += 2) {
    if (py().PyDict_SetItem(dict.object, stack_[i].object, stack_[i + 1].object) != 0) return false;
  }
  drop(from);
  return true;
}

bool StreamReader::add_items(std::size_t from) {
  const std::size_t floor = marks_.empty() ? 0 : marks_.back();
  if (from < floor + 1) return false;
  Slot& set = stack_[from - 1];
  if (type_of(set.object) != py().PySet_Type || !deeper(set, from)) return false;
  for (std::size_t i = from; i < stack_.size(); i++) {
    if (py().PySet_Add(set.object, stack_[i].object) != 0) return false;
  }
  drop(from);
  return true;
}

bool StreamReader::make_tuple(std::size_t from) {
  Slot made{nullptr, 0, false};
  bool collected = false;
  if (!deeper(made, from)) return false;
  made.object = py().PyTuple_New(static_cast<Py_ssize_t>(stack_.size() - from));
  if (made.object == nullptr) return false;
  for (std::size_t i = from; i < stack_.size(); i++) {
    fill_tuple(made.object, static_cast<Py_ssize_t>(i - from), stack_[i].object);  // takes the reference
    collected = collected || stack_[i].collected;
  }
  // Ten thousand queued programs are forty thousand tuples: the collector would walk them again and again
  // (a quarter of the time of a batch). What holds only data that refers to nothing is not its business.
  if (batch_ && !collected) py().PyObject_GC_UnTrack(made.object);
  stack_.resize(from);
  return push(made.object, made.depth, collected);
}

bool StreamReader::make_list(std::size_t from) {
  Slot made{nullptr, 0, false};
  if (!batch_ || !deeper(made, from)) return false;
  made.object = py().PyList_New(static_cast<Py_ssize_t>(stack_.size() - from));
  if (made.object == nullptr) return false;
  for (std::size_t i = from; i < stack_.size(); i++) {
    py().PyList_SetItem(made.object, static_cast<Py_ssize_t>(i - from),
                        stack_[i].object);  // takes the reference
  }
  stack_.resize(from);
  return push(made.object, made.depth, true);
}

bool StreamReader::frozen_set(std::size_t from) {
  Slot made{py().PyFrozenSet_New(nullptr), 0, true};
  if (made.object == nullptr) return false;
  bool ok = deeper(made, from);
  // A fresh frozenset may be filled while nobody else knows it.
  for (std::size_t i = from; ok && i < stack_.size(); i++)
    ok = py().PySet_Add(made.object, stack_[i].object) == 0;
  if (!ok) {
    py().Py_DecRef(made.object);
    return false;
  }
  drop(from);
  return push(made.object, made.depth, true);
}

bool StreamReader::put(std::size_t index) {
  // Our writers number the memo without gaps; a far index is hostile.
  if (stack_.empty() || index > memo_.size() + 1024) return false;
  if (index >= memo_.size()) memo_.resize(index + 1, {nullptr, 0, true});
  py().Py_IncRef(stack_.back().object);
  if (memo_[index].object != nullptr) py().Py_DecRef(memo_[index].object);
  memo_[index] = {stack_.back().object, 0, stack_.back().collected};
  return true;
}

bool StreamReader::get(std::size_t index) {
  if (index >= memo_.size() || memo_[index].object == nullptr) return false;
  PyObject* object = memo_[index].object;
  shared_containers_ = shared_containers_ || is_container(object);
  py().Py_IncRef(object);
  return push(object, 0, memo_[index].collected) && (!shared_containers_ || closed_ <= limits_.depth);
}

bool StreamReader::run() {
  auto share = [](PyObject* object) {
    py().Py_IncRef(object);
    return object;
  };
  while (at_ < end_) {
    std::size_t size = 0, from = 0;
    const unsigned char code = *at_++;
    bool ok = true;
    switch (code) {
      case op::kProto:
        ok = end_ - at_ >= 1 && *at_++ == 5;
        break;
      case op::kFrame:
        ok = end_ - at_ >= 8;
        at_ += ok ? 8 : 0;
        break;
      case op::kStop:
        return at_ == end_;
      case op::kNone:
        ok = push(share(py()._Py_NoneStruct));
        break;
      case op::kTrue:
        ok = push(share(py()._Py_TrueStruct));
        break;
      case op::kFalse:
        ok = push(share(py()._Py_FalseStruct));
        break;
      case op::kInt1:
        ok = end_ - at_ >= 1 && push(py().PyLong_FromLongLong(*at_++));
        break;
      case op::kInt2:
        ok = end_ - at_ >= 2 && push(py().PyLong_FromLongLong(static_cast<long long>(load_little(at_, 2))));
        at_ += ok ? 2 : 0;
        break;
      case op::kInt4:
        ok =
            end_ - at_ >= 4 && push(py().PyLong_FromLongLong(static_cast<std::int32_t>(load_little(at_, 4))));
        at_ += ok ? 4 : 0;
        break;
      case op::kLong1:
        ok = take_size(1, size) &&
             push(size == 0 ? py().PyLong_FromLongLong(0) : py()._PyLong_FromByteArray(at_, size, 1, 1));
        at_ += ok ? size : 0;
        break;
      case op::kFloat: {
        ok = end_ - at_ >= 8;
        if (!ok) break;
        std::uint64_t bits = 0;
        std::memcpy(&bits, at_, 8);
        bits = __builtin_bswap64(bits);
        double number = 0;
        std::memcpy(&number, &bits, 8);
        at_ += 8;
        ok = push(py().PyFloat_FromDouble(number));
        break;
      }
      case op::kShortText:
        ok = take_size(1, size) && text(size);
        break;
      case op::kText:
        ok = take_size(4, size) && text(size);
        break;
      case op::kText8:
        ok = take_size(8, size) && text(size);
        break;
      case op::kShortBytes:
      case op::kBytes:
      case op::kBytes8:
        ok = take_size(code == op::kShortBytes ? 1
                       : code == op::kBytes    ? 4
                                               : 8,
                       size) &&
             push(py().PyBytes_FromStringAndSize(reinterpret_cast<const char*>(at_),
                                                 static_cast<Py_ssize_t>(size)));
        at_ += ok ? size : 0;
        break;
      case op::kByteArray8:
        ok = take_size(8, size) && push(py().PyByteArray_FromStringAndSize(reinterpret_cast<const char*>(at_),
                                                                           static_cast<Py_ssize_t>(size)));
        at_ += ok ? size : 0;
        break;
      case op::kEmptyList:
        ok = push(py().PyList_New(0), 0, true);
        break;
      case op::kEmptyDict:
        ok = push(py().PyDict_New(), 0, true);
        break;
      case op::kEmptySet:
        ok = push(py().PySet_New(nullptr), 0, true);
        break;
      case op::kEmptyTuple:
        ok = push(py().PyTuple_New(0));
        break;
      case op::kTuple1:
      case op::kTuple2:
      case op::kTuple3: {
        const std::size_t floor = marks_.empty() ? 0 : marks_.back();
        const std::size_t count = code - op::kTuple1 + 1u;
        ok = stack_.size() >= floor + count && make_tuple(stack_.size() - count);
        break;
      }
      case op::kMark:
        marks_.push_back(stack_.size());
        break;
      case op::kTuple:
        ok = pop_mark(from) && make_tuple(from);
        break;
      case op::kList:
        ok = pop_mark(from) && make_list(from);
        break;
      case op::kAppends:
        ok = pop_mark(from) && append(from);
        break;
      case op::kSetItems:
        ok = pop_mark(from) && set_items(from);
        break;
      case op::kAddItems:
        ok = pop_mark(from) && add_items(from);
        break;
      case op::kFrozenSet:
        ok = pop_mark(from) && frozen_set(from);
        break;
      case op::kAppend:
        ok = !stack_.empty() && append(stack_.size() - 1);
        break;
      case op::kSetItem:
        ok = stack_.size() >= 2 && set_items(stack_.size() - 2);
        break;
      case op::kMemoize:
        ok = put(memo_.size());
        break;
      case op::kPut:
        ok = end_ - at_ >= 1 && put(*at_++);
        break;
      case op::kLongPut:
        ok = end_ - at_ >= 4 && put(static_cast<std::size_t>(load_little(at_, 4)));
        at_ += ok ? 4 : 0;
        break;
      case op::kGet:
        ok = end_ - at_ >= 1 && get(*at_++);
        break;
      case op::kLongGet:
        ok = end_ - at_ >= 4 && get(static_cast<std::size_t>(load_little(at_, 4)));
        at_ += ok ? 4 : 0;
        break;
      default:
        return false;  // POP, POP_MARK, LONG4 and extension values are Python's
    }
    if (!ok) return false;
  }
  return false;
}

}  // namespace isopy
