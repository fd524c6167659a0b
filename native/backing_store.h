/// The memory behind an ArrayBuffer, held beyond what JavaScript does with the ArrayBuffer.
///
/// Node-API has no such thing: a reference keeps an ArrayBuffer, and not the memory that `transfer()` moves
/// out of it. So this asks V8 itself (`v8::ArrayBuffer::GetBackingStore`), by the symbol that Node exports
/// for addons, and only after a probe has found that symbol and the layout of what it returns
/// (docs/adr/0023).
#pragma once

#include <node_api.h>

#include <memory>
#include <utility>

namespace isopy {

class BackingStore {
 public:
  BackingStore() = default;
  BackingStore(BackingStore&&) = default;
  BackingStore& operator=(BackingStore&& other) noexcept {
    let_go();
    held_ = std::move(other.held_);
    return *this;
  }
  BackingStore(const BackingStore&) = delete;
  BackingStore& operator=(const BackingStore&) = delete;
  ~BackingStore() { let_go(); }

  /// JS thread: whether this runtime lets memory be held.
  static bool can_hold(napi_env env);
  /// JS thread, where it can be held: that of an ArrayBuffer or SharedArrayBuffer.
  static BackingStore of(napi_value buffer);
  /// The main JS thread ends, and with it what frees the memory: what is held from now on is never freed.
  static void abandon_all();

  explicit operator bool() const { return held_ != nullptr; }
  /// Any thread: V8 frees memory where its last holder lets go.
  void let_go();

 private:
  std::shared_ptr<void> held_;
};

}  // namespace isopy
