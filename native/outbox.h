/// What Python's threads tell one JavaScript environment, in order.
///
/// Any thread pushes; one wake-up of the JS thread drains all (an armed flag: a second wake-up is
/// asked for only after a drain). After close() pushes are dropped: the environment is gone, and a
/// call into its thread-safe function would touch freed memory. JavaScript is woken outside of the mutex
/// that guards the messages: it runs on another core at once, and would have to wait for that.
#pragma once

#include <node_api.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "patience.h"

namespace isopy {

/// JavaScript reads replies on another core meanwhile: 100 calls in flight are fastest in a few portions.
constexpr int kManyReplies = 32;

/// Kinds below 100 are frames of PROTOCOL.md; these are between the addon and its JS half.
enum Notice : std::uint8_t {
  kReply = 16,
  kOpened = 100,
  kOpenFailed = 101,
  kClosed = 102,
  kAsk = 103,
  kLost = 104
};

struct Message {
  std::uint8_t kind;
  std::uint64_t token;
  std::string bytes;
};

class Outbox {
 public:
  /// JS thread. `ready` is called on the JS thread, without arguments, when there is something to take.
  bool open(napi_env env, napi_value ready);
  /// Any thread. False when the environment is gone.
  bool push(Message message);
  /// Any thread: the items of one reply, for the REPLY frame that is being collected. JavaScript finds
  /// it with whatever wakes it next; `many` unannounced replies wake it.
  bool reply(const std::string& items, int many);
  /// Any thread: wakes JavaScript when replies wait for that.
  void announce();
  /// JS thread, detached: waits a moment for the reply to what was just sent, where that pays. Whether there
  /// is something to take; then the caller takes it before long, and nobody wakes JavaScript for it.
  bool await_reply();
  /// JS thread: everything pushed so far.
  std::vector<Message> take();
  /// Any thread, no lock: whether take() would find something.
  bool waiting() const { return waiting_.load(std::memory_order_acquire); }
  /// JS thread: whether the wake-up keeps the event loop alive.
  void keep_alive(napi_env env, bool alive);
  /// JS thread, idempotent.
  void close();

 private:
  void finish_replies();
  bool must_wake();
  void wake_javascript();
  static void wake(napi_env env, napi_value ready, void* context, void* data);

  std::mutex wake_mutex_;  // guards the use of wake_; never taken inside mutex_
  napi_threadsafe_function wake_ = nullptr;
  bool awakable_ = false;
  std::mutex mutex_;  // guards what follows
  std::vector<Message> messages_;
  bool armed_ = false;
  bool collecting_ = false;  // the last message is a REPLY stream without its end
  int unannounced_ = 0;
  bool open_ = false;
  bool looking_ = false;  // JavaScript waits in await_reply, and need not be woken
  std::atomic<bool> waiting_{false};
  Patience patience_;
};

}  // namespace isopy
