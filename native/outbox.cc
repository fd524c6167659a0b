#include "outbox.h"

#include <utility>

namespace isopy {

bool Outbox::open(napi_env env, napi_value ready) {
  napi_value name;
  if (napi_create_string_utf8(env, "isopy", NAPI_AUTO_LENGTH, &name) != napi_ok) return false;
  if (napi_create_threadsafe_function(env, ready, nullptr, name, 0, 1, nullptr, nullptr, nullptr,
                                      &Outbox::wake, &wake_) != napi_ok) {
    return false;
  }
  std::lock_guard<std::mutex> lock(mutex_);
  open_ = true;
  return true;
}

bool Outbox::push(Message message) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (!open_) return false;
  messages_.push_back(std::move(message));
  waiting_.store(true, std::memory_order_release);
  if (!armed_) armed_ = napi_call_threadsafe_function(wake_, nullptr, napi_tsfn_nonblocking) == napi_ok;
  return true;
}

std::vector<Message> Outbox::take() {
  std::lock_guard<std::mutex> lock(mutex_);
  armed_ = false;
  waiting_.store(false, std::memory_order_release);
  return std::exchange(messages_, {});
}

void Outbox::keep_alive(napi_env env, bool alive) {
  if (!open_) return;
  if (alive) {
    napi_ref_threadsafe_function(env, wake_);
  } else {
    napi_unref_threadsafe_function(env, wake_);
  }
}

void Outbox::close() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (!open_) return;
  open_ = false;
  messages_.clear();
  waiting_.store(false, std::memory_order_release);
  napi_release_threadsafe_function(wake_, napi_tsfn_abort);
}

void Outbox::wake(napi_env env, napi_value ready, void*, void*) {
  if (env == nullptr || ready == nullptr) return;  // the environment is being torn down
  napi_value global;
  if (napi_get_global(env, &global) != napi_ok) return;
  // What the JS half throws (it should not) is an uncaught exception, made so by Node itself.
  napi_call_function(env, global, ready, 0, nullptr, nullptr);
}

}  // namespace isopy
