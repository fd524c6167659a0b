/// Handles: integers that stand for Python objects that JavaScript holds.
///
/// The same table as `_isopy.handles.HandleTable`, with the same ids, where sync calls can use it
/// without calling Python. An id is generation and slot (`generation << 24 | slot`, below 2^53); a
/// slot is retired before its generation wraps, so a late release can never hit a newer object.
///
/// Bound methods of one function and one object share a handle: Python makes a new one for each
/// look-up, and `object.method === object.method` should hold.
///
/// The GIL is the lock: no function here calls back into Python. Invariant: for a live id the count
/// is how often it was introduced to JavaScript minus what was given back.
#pragma once

#include <cstdint>
#include <vector>

#include "gil.h"

namespace isopy {

using HandleId = std::uint64_t;

class HandleTable {
 public:
  static constexpr unsigned kSlotBits = 24;
  static constexpr std::uint64_t kSlotMask = (1u << kSlotBits) - 1;
  static std::size_t slot_of(HandleId id) { return static_cast<std::size_t>(id & kSlotMask); }

  /// What makes two objects the same: the pointer, or function and object of a bound method.
  struct Identity {
    const void* first = nullptr;
    const void* second = nullptr;
  };
  struct Entry {
    PyObject* object = nullptr;  // owned
    Identity identity;
    HandleId id = 0;  // 0: free
    std::uint64_t count = 0;
    std::uint32_t generation = 0;
  };

  /// The id of an object that JavaScript holds, or 0.
  HandleId find(const Gil& gil, PyObject* object) const;
  /// The object's id, counted once more; 0 when no handle is left (no error is set).
  HandleId introduce(const Gil& gil, PyObject* object);
  /// Borrowed; null when the handle is gone or never was.
  PyObject* object_of(const Gil&, HandleId id) const {
    const std::size_t slot = slot_of(id);
    return id != 0 && slot < entries_.size() && entries_[slot].id == id ? entries_[slot].object : nullptr;
  }
  /// Gives introductions back. Returns the object with the last one, for the caller to drop.
  PyOwned release(const Gil& gil, HandleId id, std::uint64_t count);
  const std::vector<Entry>& entries() const { return entries_; }
  std::size_t size() const { return used_; }
  /// How many objects JavaScript may hold at a time.
  std::size_t most() const { return most_; }
  void limit(std::size_t most) { most_ = most < kSlotMask ? most : kSlotMask; }

 private:
  static Identity identity_of(PyObject* object);
  /// Open addressing over `index_`, whose size is a power of two; the place of the identity, or of a gap.
  std::size_t place(Identity identity) const;
  std::size_t home(Identity identity) const;
  void grow();
  void forget(Identity identity);

  std::vector<Entry> entries_{Entry{}};  // slot 0 is never used
  std::vector<std::uint32_t> free_;
  std::vector<std::uint32_t> index_;  // slots; 0 is a gap
  std::size_t used_ = 0;
  std::size_t most_ = kSlotMask;
};

}  // namespace isopy
