/// Slots that both sides read: an ArrayBuffer of JavaScript, kept from message to message.
#pragma once

#include <node_api.h>

#include <cstdint>

namespace isopy {

/// JS thread only. The memory lives as long as the reference, which goes with the environment.
class FlatMemory {
 public:
  /// Makes room for `slots`, keeping the first `used`. False when JavaScript has no memory left (nothing is
  /// thrown).
  bool grow(napi_env env, std::size_t slots, std::size_t used);
  /// Takes an ArrayBuffer that JavaScript made; false when it is none.
  bool adopt(napi_env env, napi_value buffer);

  std::int64_t* slots() const { return slots_; }
  std::size_t capacity() const { return capacity_; }
  /// The ArrayBuffer, when it is another one than at the last call; else null.
  napi_value news(napi_env env);

 private:
  bool hold(napi_env env, napi_value buffer, void* memory, std::size_t bytes);
  napi_ref buffer_ = nullptr;
  std::int64_t* slots_ = nullptr;
  std::size_t capacity_ = 0;
  bool changed_ = false;
};

}  // namespace isopy
