#include "ref_table.h"

#include <algorithm>

#include "handle_scope.h"

namespace isopy {

RefTable::Entry* RefTable::entry(HandleId id, Kind kind) {
  auto& entries = entries_[kind];
  const std::size_t slot = HandleTable::slot_of(id);
  return slot < entries.size() && entries[slot].id == id ? &entries[slot] : nullptr;
}

napi_value RefTable::alive(napi_env env, const Entry& entry) {
  napi_value ref = nullptr;
  if (entry.weak != nullptr) napi_get_reference_value(env, entry.weak, &ref);
  return ref;
}

napi_value RefTable::find(napi_env env, HandleId id, Kind kind) const {
  const Entry* found = entry(id, kind);
  return found != nullptr ? alive(env, *found) : nullptr;
}

napi_value RefTable::introduce(napi_env env, HandleId id, Kind kind) {
  if (Entry* known = entry(id, kind)) {
    known->count++;
    return alive(env, *known);
  }
  auto& entries = entries_[kind];
  const std::size_t slot = HandleTable::slot_of(id);
  if (slot >= entries.size()) entries.resize(std::max(slot + 1, entries.size() * 2));
  if (entries[slot].id != 0) drop(env, entries[slot]);
  entries[slot] = {id, nullptr, 1};
  size_++;
  fresh_++;
  return nullptr;
}

bool RefTable::bind(napi_env env, HandleId id, Kind kind, napi_value ref) {
  Entry* found = entry(id, kind);
  if (found == nullptr) return false;
  if (found->weak != nullptr) napi_delete_reference(env, found->weak);
  found->weak = nullptr;
  return napi_create_reference(env, ref, 0, &found->weak) == napi_ok;
}

std::uint32_t RefTable::unbind(napi_env env, HandleId id, Kind kind) {
  Entry* found = entry(id, kind);
  if (found == nullptr) return 0;
  const std::uint32_t count = found->count;
  drop(env, *found);
  return count;
}

void RefTable::drop(napi_env env, Entry& entry) {
  if (entry.weak != nullptr) napi_delete_reference(env, entry.weak);
  entry = {};
  size_--;
}

std::vector<RefTable::Release> RefTable::sweep(napi_env env) {
  std::vector<Release> gone;
  for (auto& entries : entries_) {
    for (std::size_t from = 0; from < entries.size(); from += kLeastFresh) {
      HandleScope scope(env);  // one for many, but not for all: each look makes a local handle
      const std::size_t to = std::min(entries.size(), from + kLeastFresh);
      for (std::size_t slot = from; slot < to; slot++) {
        Entry& one = entries[slot];
        if (one.id == 0 || alive(env, one) != nullptr) continue;
        gone.push_back({one.id, one.count});
        drop(env, one);
      }
    }
  }
  fresh_ = 0;
  sweep_after_ = std::max(kLeastFresh, (entries_[kCopies].size() + entries_[kKeeps].size()) / 4);
  return gone;
}

napi_value RefTable::list(napi_env env) const {
  napi_value list;
  if (napi_create_array(env, &list) != napi_ok) return nullptr;
  std::uint32_t at = 0;
  for (const auto& entries : entries_) {
    for (const Entry& one : entries) {
      HandleScope scope(env);
      napi_value ref = one.id != 0 ? alive(env, one) : nullptr;
      napi_value count;
      if (ref == nullptr) continue;
      if (napi_create_uint32(env, one.count, &count) != napi_ok ||
          napi_set_element(env, list, at++, ref) != napi_ok ||
          napi_set_element(env, list, at++, count) != napi_ok) {
        return nullptr;
      }
    }
  }
  return list;
}

void RefTable::clear(napi_env env) {
  for (auto& entries : entries_) {
    for (Entry& one : entries)
      if (one.id != 0) drop(env, one);
    entries.clear();
  }
}

}  // namespace isopy
