/// The JavaScript refs of one engine, weakly, by handle.
///
/// A JS `WeakRef` keeps its target until the job ends, and a `FinalizationRegistry` calls nobody before
/// that: a loop that makes a million refs would keep a million Python objects. V8 clears a weak
/// Node-API reference as soon as a collection finds the object dead, so looking through this table
/// now and then tells what can go. It is the identity map too: the same live object, the same ref.
///
/// JS thread only; nothing here needs the GIL or runs JavaScript.
#pragma once

#include <node_api.h>

#include <cstdint>
#include <vector>

#include "handle_table.h"

namespace isopy {

class RefTable {
 public:
  /// A ref that keeps what is reached from it in Python is another object than one that does not.
  enum Kind : unsigned { kCopies = 0, kKeeps = 1 };
  struct Release {
    HandleId id;
    std::uint32_t count;
  };

  /// The ref of a handle, or null when there is none (or it was collected).
  napi_value find(napi_env env, HandleId id, Kind kind) const;
  bool holds(HandleId id, Kind kind) const { return entry(id, kind) != nullptr; }
  /// Counts an introduction of a handle; its ref, or null: then `bind` gives it one.
  napi_value introduce(napi_env env, HandleId id, Kind kind);
  bool bind(napi_env env, HandleId id, Kind kind, napi_value ref);
  /// Forgets the ref; the introductions to give back.
  std::uint32_t unbind(napi_env env, HandleId id, Kind kind);

  /// Whether so many refs were made since the last sweep that another one pays.
  bool crowded() const { return fresh_ >= sweep_after_; }
  /// Forgets the refs that were collected, and says what they held.
  std::vector<Release> sweep(napi_env env);
  /// Every live ref and its introductions, as `[ref, count, …]`.
  napi_value list(napi_env env) const;
  /// The refs of a closed engine: forgets them.
  void clear(napi_env env);
  std::size_t size() const { return size_; }

 private:
  /// A sweep looks at every slot, so it waits for about as many new refs; but not for a handful.
  static constexpr std::size_t kLeastFresh = 4096;
  struct Entry {
    HandleId id = 0;
    napi_ref weak = nullptr;
    std::uint32_t count = 0;
  };
  Entry* entry(HandleId id, Kind kind);
  const Entry* entry(HandleId id, Kind kind) const { return const_cast<RefTable*>(this)->entry(id, kind); }
  static napi_value alive(napi_env env, const Entry& entry);
  void drop(napi_env env, Entry& entry);

  std::vector<Entry> entries_[2];  // by kind and slot
  std::size_t size_ = 0, fresh_ = 0, sweep_after_ = kLeastFresh;
};

}  // namespace isopy
