#include "type_book.h"

#include <algorithm>

namespace isopy {

namespace {

/// Whether the weak reference still refers to `type`.
bool refers_to(PyObject* weak, PyObject* type) {
  if (py().PyWeakref_GetRef == nullptr) return py().PyWeakref_GetObject(weak) == type;
  PyObject* found = nullptr;
  if (py().PyWeakref_GetRef(weak, &found) < 0) py().PyErr_Clear();
  if (found == nullptr) return false;
  py().Py_DecRef(found);
  return found == type;
}

bool number_at(PyObject* tuple, Py_ssize_t at, long long& number) {
  int overflow = 0;
  PyObject* item = py().PyTuple_GetItem(tuple, at);
  if (item == nullptr) return false;
  number = py().PyLong_AsLongLongAndOverflow(item, &overflow);
  return overflow == 0 && py().PyErr_Occurred() == nullptr;
}

}  // namespace

TypeInfo* TypeBook::find(const Gil& gil, PyObject* value, const PyOwned& reference) {
  PyObject* type = type_of(value);
  const auto known = by_type_.find(type);
  if (known != by_type_.end()) {
    TypeInfo& info = infos_[static_cast<std::size_t>(known->second)];
    if (refers_to(info.weak.get(), type)) return &info;
    free_.push_back(known->second);
    by_type_.erase(known);
  }
  return examine(gil, type, value, reference);
}

TypeInfo* TypeBook::examine(const Gil& gil, PyObject* type, PyObject* value, const PyOwned& reference) {
  // Python runs below: nothing here may be held across it.
  PyObject* args[] = {value};
  PyOwned facts = PyOwned::steal(py().vectorcall(reference.get(), args, 1));
  if (!facts || type_of(facts.get()) != py().PyTuple_Type) return nullptr;
  TypeInfo info;
  long long flags = 0, alone = 0, keeps = 0;
  Py_ssize_t length = 0;
  PyObject* name = py().PyTuple_GetItem(facts.get(), 1);
  const char* text = name != nullptr ? py().PyUnicode_AsUTF8AndSize(name, &length) : nullptr;
  if (text == nullptr || !number_at(facts.get(), 0, flags) || !number_at(facts.get(), 2, alone) ||
      !number_at(facts.get(), 3, keeps)) {
    return nullptr;
  }
  info.weak = PyOwned::steal(py().PyWeakref_NewRef(type, nullptr));
  if (!info.weak) return nullptr;
  if (infos_.size() - free_.size() >= prune_at_) prune(gil);
  info.flags = static_cast<std::int32_t>(flags);
  info.name.assign(text, static_cast<std::size_t>(length));
  info.alone = alone != 0;
  info.keeps = keeps != 0;
  if (free_.empty()) {
    free_.push_back(static_cast<std::int32_t>(infos_.size()));
    infos_.emplace_back();
  }
  info.index = free_.back();
  free_.pop_back();
  TypeInfo& place = infos_[static_cast<std::size_t>(info.index)];
  place = std::move(info);
  by_type_[type] = place.index;
  return &place;
}

void TypeBook::prune(const Gil&) {
  for (auto one = by_type_.begin(); one != by_type_.end();) {
    if (refers_to(infos_[static_cast<std::size_t>(one->second)].weak.get(), one->first)) {
      ++one;
    } else {
      free_.push_back(one->second);
      one = by_type_.erase(one);
    }
  }
  prune_at_ = std::max<std::size_t>(1024, 2 * by_type_.size());
}

}  // namespace isopy
