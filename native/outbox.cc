#include "outbox.h"

#include <chrono>
#include <thread>
#include <utility>

#include "forking.h"
#include "opcodes.h"

namespace isopy {

namespace {

constexpr char kRepliesBegin[] = {static_cast<char>(op::kProto), 5, op::kEmptyList, op::kMark};
constexpr char kRepliesEnd[] = {op::kAppends, op::kStop};

}  // namespace

bool Outbox::open(napi_env env, napi_value ready) {
  napi_value name;
  if (napi_create_string_utf8(env, "isopy", NAPI_AUTO_LENGTH, &name) != napi_ok) return false;
  if (napi_create_threadsafe_function(env, ready, nullptr, name, 0, 1, nullptr, nullptr, this, &Outbox::wake,
                                      &wake_) != napi_ok) {
    return false;
  }
  awakable_ = true;
  std::lock_guard<std::mutex> lock(mutex_);
  open_ = true;
  return true;
}

bool Outbox::push(Message message) {
  bool wake = false;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!open_) return false;
    finish_replies();
    messages_.push_back(std::move(message));
    wake = must_wake();
  }
  if (wake) wake_javascript();
  return true;
}

bool Outbox::reply(const std::string& items, int many) {
  bool wake = false;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!open_) return false;
    if (!collecting_) {
      messages_.push_back({kReply, 0, {}});
      messages_.back().bytes.reserve(items.size() * kManyReplies);
      messages_.back().bytes.append(kRepliesBegin, sizeof kRepliesBegin);
      collecting_ = true;
    }
    messages_.back().bytes += items;
    waiting_.store(true, std::memory_order_release);
    wake = ++unannounced_ >= many && must_wake();
  }
  if (wake) wake_javascript();
  return true;
}

void Outbox::announce() {
  bool wake = false;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    wake = open_ && unannounced_ > 0 && must_wake();
  }
  if (wake) wake_javascript();
}

bool Outbox::await_reply() {
  if (!patience_.pays()) return false;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!open_) return false;
    looking_ = true;
  }
  const auto end = std::chrono::steady_clock::now() + Patience::kBound;
  // Yielding: the worker may have to run on this core.
  while (!waiting() && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  std::lock_guard<std::mutex> lock(mutex_);
  looking_ = false;
  const bool found = waiting();
  if (found) armed_ = true;
  patience_.waited(found);
  return found;
}

std::vector<Message> Outbox::take() {
  std::lock_guard<std::mutex> lock(mutex_);
  armed_ = false;
  unannounced_ = 0;
  finish_replies();
  waiting_.store(false, std::memory_order_release);
  return std::exchange(messages_, {});
}

/// With the mutex, like must_wake.
void Outbox::finish_replies() {
  if (!collecting_) return;
  messages_.back().bytes.append(kRepliesEnd, sizeof kRepliesEnd);
  collecting_ = false;
}

/// Whether the caller has to wake JavaScript, after it has let go of the mutex.
bool Outbox::must_wake() {
  waiting_.store(true, std::memory_order_release);
  if (looking_) return false;
  unannounced_ = 0;
  return !std::exchange(armed_, true);
}

void Outbox::wake_javascript() {
  {
    std::lock_guard<std::mutex> lock(wake_mutex_);
    if (!awakable_ || napi_call_threadsafe_function(wake_, nullptr, napi_tsfn_nonblocking) == napi_ok) return;
  }
  std::lock_guard<std::mutex> lock(mutex_);
  armed_ = false;  // no memory: the next message tries again
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
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!open_) return;
    open_ = false;
    collecting_ = false;
    messages_.clear();
    waiting_.store(false, std::memory_order_release);
  }
  std::lock_guard<std::mutex> lock(wake_mutex_);
  awakable_ = false;
  napi_release_threadsafe_function(wake_, napi_tsfn_abort);
}

void Outbox::wake(napi_env env, napi_value ready, void* outbox, void*) {
  if (env == nullptr || ready == nullptr) return;  // the environment is being torn down
  static_cast<Outbox*>(outbox)->patience_.turned();
  napi_value global;
  if (napi_get_global(env, &global) != napi_ok) return;
  // What the JS half throws (it should not) is an uncaught exception, made so by Node itself.
  napi_call_function(env, global, ready, 0, nullptr, nullptr);
}

}  // namespace isopy
