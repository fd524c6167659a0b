/// One engine: a `_isopy.engine.Engine` and the JS environment that owns it.
///
/// Shared (std::shared_ptr) by the environment, by queued work and by the Python `host` object;
/// whoever comes last frees it. The Python references are dropped by the control thread (N4).
#pragma once

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "exports.h"
#include "framed.h"
#include "gil.h"
#include "handle_table.h"
#include "outbox.h"
#include "stream_writer.h"
#include "type_book.h"

namespace isopy {

/// One Python thread that waits for JavaScript's answer.
struct Ask {
  std::condition_variable answered;
  bool done = false;
  std::string answer;
};

struct ProgramParts;

/// Bound methods of the Python engine, fetched once.
struct EngineMethods {
  PyOwned engine, receive, work, close;
  /// Types whose arrays are copied and viewed without asking `_isopy` (`arrays.SIMPLE`).
  PyOwned viewed;
  PyOwned encode, encode_error, decode, run_sync, flush;
  /// Text that was printed and not sent; callbacks that were dropped and not sent.
  PyOwned printed, dropped;
  /// What the evaluator uses; null where `_isopy` runs every program itself.
  std::shared_ptr<const ProgramParts> programs;
  /// How the instances of a type become refs; what ends a handle's coroutine quietly.
  PyOwned reference, discard;
  FramedFunctions framed;
  /// Conversion rules of the user: while there are any, `_isopy` decides what becomes a ref.
  PyOwned ruled;
};

/// The JS thread that owns an engine.
struct JsThread {
  pthread_t thread{};
  std::int64_t id = 0;        // of `worker_threads`; 0 is the main thread
  napi_env env = nullptr;     // JS thread only
  napi_ref on_ask = nullptr;  // JS thread only
  /// JS thread only: the function behind an id, where it may be called directly; and the ANSWER stream of
  /// what such a function returned or threw.
  napi_ref callee = nullptr, answer_with = nullptr;
  /// How deep the JS thread is inside sync calls, and how often it entered one: a waiter that
  /// sees depth > 0 and an unchanged epoch for the whole bound knows that nobody will answer.
  std::atomic<int> depth{0};
  std::atomic<std::uint32_t> epoch{0};
  /// Its environment or the process ends: it must come out of Python (departure.h).
  std::atomic<bool> leaving{false};
  std::atomic<bool> warned{false};  // an interrupt is on its way
  std::atomic<int> warnings{0};     // how many it has had

  /// Any thread: Python has dropped its object for this function. The reference is the JS thread's to delete.
  void drop(napi_ref function) {
    std::lock_guard<std::mutex> lock(dropped_mutex_);
    dropped_.push_back(function);
  }
  std::vector<napi_ref> take_dropped() {
    std::lock_guard<std::mutex> lock(dropped_mutex_);
    return std::exchange(dropped_, {});
  }

 private:
  std::mutex dropped_mutex_;
  std::vector<napi_ref> dropped_;
};

class Interpreter;

class Engine : public std::enable_shared_from_this<Engine> {
 public:
  explicit Engine(std::shared_ptr<Interpreter> home) : interpreter(std::move(home)) {}

  const std::shared_ptr<Interpreter> interpreter;
  Outbox outbox;
  JsThread js;
  // Touched attached only.
  EngineMethods methods;
  HandleTable handles;
  TypeBook types;
  /// An attribute's or module's name, interned.
  struct Name {
    PyOwned text;
    /// The handle under which the module of this name was found initialised; it stays so.
    HandleId initialised = 0;
  };
  /// Names that JavaScript uses, by the numbers it knows them by.
  std::vector<Name> names;
  int deadlock_ms = 5000;
  StreamLimits limits;
  /// Memory that Python has lent to JavaScript and that nobody views yet.
  Exports exports;

  /// How long the queue was after a program was last taken from it, and how often something was queued
  /// or begun: after a change another look at what a stalled worker left could make sense.
  std::atomic<std::int64_t> queued{0};
  std::atomic<std::uint64_t> changes{0};
  /// `changes` at the last look that the monitor asked for.
  std::atomic<std::uint64_t> explored{0};
  bool may_have_work() const { return queued.load() > 0 && changes.load() != explored.load(); }

  /// Any thread, once: tells JavaScript (and a blocked starter) how opening ended.
  void opened(bool ok, std::string text);
  bool wait_opened(std::chrono::milliseconds bound);
  /// Whether sync calls may use `methods`.
  bool ready() const { return ready_.load(std::memory_order_acquire); }

  /// True for the first caller.
  bool start_closing() { return !closing_.exchange(true); }
  void finish_closing();
  bool wait_closed(std::chrono::milliseconds bound);
  /// Attached: gives introductions back, and lets go of what nobody holds any more.
  void release_handle(const Gil& gil, HandleId id, std::uint64_t count);
  /// Attached: gives the Python engine back.
  void drop_methods();

  /// Closed: nothing is queued any more, waiters are woken, sends are dropped.
  bool closed() const { return closed_.load(std::memory_order_acquire); }
  void shut();

  /// Waits, detached, for the answer to a CALL that was pushed to the outbox. Any thread but the
  /// JS thread. On failure `problem` says why.
  bool wait_for_answer(const std::string& frame, std::string& answer, const char*& problem);
  /// JS thread.
  void answer(std::uint64_t token, std::string bytes);

 private:
  std::atomic<bool> closed_{false}, closing_{false}, ready_{false};
  std::mutex life_mutex_;
  std::condition_variable life_changed_;
  bool open_done_ = false, close_done_ = false;
  std::mutex asks_mutex_;
  std::uint64_t next_ask_ = 1;
  std::unordered_map<std::uint64_t, std::shared_ptr<Ask>> asks_;
};

}  // namespace isopy
