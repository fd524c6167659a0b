#include "backing_store.h"

#include <dlfcn.h>

#include <atomic>
#include <cstring>
#include <new>

namespace isopy {

namespace {

/// `std::shared_ptr<v8::BackingStore> v8::ArrayBuffer::GetBackingStore()`; a napi_value is the `this`
/// that V8's own handles are.
using GetStore = std::shared_ptr<void> (*)(void* buffer);
/// `void* v8::BackingStore::Data() const`
using GetData = void* (*)(const void* store);

GetStore get_store = nullptr;  // written once, by the probe
std::atomic<bool> abandoned{false};

/// A shared_ptr whose end runs nothing: what cannot be trusted must not be let go of either.
struct Unended {
  alignas(std::shared_ptr<void>) unsigned char bytes[sizeof(std::shared_ptr<void>)];
  explicit Unended(std::shared_ptr<void> pointer) { new (bytes) std::shared_ptr<void>(std::move(pointer)); }
  std::shared_ptr<void>& pointer() { return *std::launder(reinterpret_cast<std::shared_ptr<void>*>(bytes)); }
};

/// A new ArrayBuffer has one holder, itself. Another C++ library keeps its count elsewhere or counts from
/// zero, so reading 2 and 3 here means that V8 and this addon share an idea of a shared_ptr.
bool probe(napi_env env) {
  auto get = reinterpret_cast<GetStore>(dlsym(RTLD_DEFAULT, "_ZN2v811ArrayBuffer15GetBackingStoreEv"));
  auto data_of = reinterpret_cast<GetData>(dlsym(RTLD_DEFAULT, "_ZNK2v812BackingStore4DataEv"));
  napi_value buffer;
  void* data = nullptr;
  if (get == nullptr || data_of == nullptr || napi_create_arraybuffer(env, 64, &data, &buffer) != napi_ok)
    return false;
  Unended first(get(buffer));
  if (first.pointer().get() == nullptr || first.pointer().use_count() != 2 ||
      data_of(first.pointer().get()) != data)
    return false;
  Unended second(get(buffer));
  if (second.pointer().get() != first.pointer().get() || first.pointer().use_count() != 3) return false;
  second.pointer().~shared_ptr();
  if (first.pointer().use_count() != 2) return false;
  first.pointer().~shared_ptr();
  get_store = get;
  return true;
}

}  // namespace

bool BackingStore::can_hold(napi_env env) {
  static const bool can = probe(env);
  return can;
}

BackingStore BackingStore::of(napi_value buffer) {
  BackingStore store;
  store.held_ = get_store(buffer);
  return store;
}

void BackingStore::abandon_all() { abandoned = true; }

void BackingStore::let_go() {
  if (held_ != nullptr && abandoned) new std::shared_ptr<void>(std::move(held_));
  held_.reset();
}

}  // namespace isopy
