#include "handle_table.h"

namespace isopy {

namespace {

constexpr std::uint32_t kLastGeneration = (1u << 29) - 1;
constexpr std::size_t kLeastIndex = 64;

/// `PyCFunctionObject`: definition and self follow the object's head (checked by verify_layout).
const void* word(PyObject* object, int at) { return reinterpret_cast<void**>(object)[at]; }

}  // namespace

HandleTable::Identity HandleTable::identity_of(PyObject* object) {
  PyObject* type = type_of(object);
  if (type == py().PyMethod_Type) return {py().PyMethod_Function(object), py().PyMethod_Self(object)};
  if (type == py().PyCFunction_Type && py().plain_functions && word(object, 3) != nullptr)
    return {word(object, 2), word(object, 3)};
  return {object, nullptr};
}

std::size_t HandleTable::home(Identity identity) const {
  // Pointers are aligned and close together: multiply, and take the high bits.
  const auto mixed = (reinterpret_cast<std::uintptr_t>(identity.first) >> 4) ^
                     (reinterpret_cast<std::uintptr_t>(identity.second) << 1);
  return static_cast<std::size_t>((mixed * 0x9E3779B97F4A7C15ULL) >> 32) & (index_.size() - 1);
}

std::size_t HandleTable::place(Identity identity) const {
  std::size_t at = home(identity);
  for (;; at = (at + 1) & (index_.size() - 1)) {
    const std::uint32_t slot = index_[at];
    if (slot == 0) return at;
    const Identity& other = entries_[slot].identity;
    if (other.first == identity.first && other.second == identity.second) return at;
  }
}

HandleId HandleTable::find(const Gil&, PyObject* object) const {
  return index_.empty() ? 0 : entries_[index_[place(identity_of(object))]].id;
}

HandleId HandleTable::introduce(const Gil&, PyObject* object) {
  if ((used_ + 1) * 2 > index_.size()) grow();
  const Identity identity = identity_of(object);
  const std::size_t at = place(identity);
  if (index_[at] != 0) {
    Entry& known = entries_[index_[at]];
    known.count++;
    return known.id;
  }
  if (used_ >= most_) return 0;
  std::size_t slot = entries_.size();
  if (!free_.empty()) {
    slot = free_.back();
    free_.pop_back();
  } else if (slot > kSlotMask) {
    return 0;
  } else {
    entries_.emplace_back();
  }
  Entry& entry = entries_[slot];
  py().Py_IncRef(object);
  entry.object = object;
  entry.identity = identity;
  entry.count = 1;
  entry.id = static_cast<HandleId>(entry.generation) << kSlotBits | slot;
  index_[at] = static_cast<std::uint32_t>(slot);
  used_++;
  return entry.id;
}

PyOwned HandleTable::release(const Gil& gil, HandleId id, std::uint64_t count) {
  if (object_of(gil, id) == nullptr) return {};
  Entry& entry = entries_[slot_of(id)];
  if (entry.count > count) {
    entry.count -= count;
    return {};
  }
  forget(entry.identity);
  PyOwned object = PyOwned::steal(entry.object);
  entry.object = nullptr;
  entry.id = 0;
  entry.count = 0;
  if (++entry.generation <= kLastGeneration) free_.push_back(static_cast<std::uint32_t>(slot_of(id)));
  used_--;
  return object;
}

void HandleTable::grow() {
  index_.assign(index_.empty() ? kLeastIndex : index_.size() * 2, 0);
  for (std::size_t slot = 1; slot < entries_.size(); slot++)
    if (entries_[slot].id != 0) index_[place(entries_[slot].identity)] = static_cast<std::uint32_t>(slot);
}

void HandleTable::forget(Identity identity) {
  const std::size_t mask = index_.size() - 1;
  std::size_t gap = place(identity);
  index_[gap] = 0;
  // What comes after a gap must still be found: move back whatever may stand in it.
  for (std::size_t at = (gap + 1) & mask; index_[at] != 0; at = (at + 1) & mask) {
    const std::size_t wanted = home(entries_[index_[at]].identity);
    if (((at - wanted) & mask) >= ((at - gap) & mask)) {
      index_[gap] = index_[at];
      index_[at] = 0;
      gap = at;
    }
  }
}

}  // namespace isopy
