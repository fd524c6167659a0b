#include "engine.h"

#include <algorithm>
#include <chrono>

namespace isopy {

void Engine::opened(bool ok, std::string text) {
  if (ok) ready_.store(true, std::memory_order_release);
  outbox.push({ok ? kOpened : kOpenFailed, 0, std::move(text)});
  std::lock_guard<std::mutex> lock(life_mutex_);
  open_done_ = true;
  life_changed_.notify_all();
}

bool Engine::wait_opened(std::chrono::milliseconds bound) {
  std::unique_lock<std::mutex> lock(life_mutex_);
  return life_changed_.wait_for(lock, bound, [this] { return open_done_; });
}

void Engine::finish_closing() {
  std::lock_guard<std::mutex> lock(life_mutex_);
  close_done_ = true;
  life_changed_.notify_all();
}

bool Engine::wait_closed(std::chrono::milliseconds bound) {
  std::unique_lock<std::mutex> lock(life_mutex_);
  return life_changed_.wait_for(lock, bound, [this] { return close_done_; });
}

void Engine::release_handle(const Gil& gil, HandleId id, std::uint64_t count) {
  PyOwned object = handles.release(gil, id, count);
  if (!object || type_of(object.get()) != py().PyCoro_Type || !methods.discard) return;
  // A coroutine that nobody awaited and nobody else holds ends without a warning.
  PyOwned discard = PyOwned::share(methods.discard.get());
  PyObject* args[] = {object.get()};
  if (!PyOwned::steal(py().vectorcall(discard.get(), args, 1))) py().PyErr_WriteUnraisable(discard.get());
}

void Engine::drop_methods() {
  methods = {};
  names.clear();
  types = {};
}

void Engine::shut() {
  closed_.store(true, std::memory_order_release);
  std::lock_guard<std::mutex> lock(asks_mutex_);
  for (auto& [token, ask] : asks_) ask->answered.notify_all();
}

bool Engine::wait_for_answer(const std::string& frame, std::string& answer, const char*& problem) {
  using Clock = std::chrono::steady_clock;
  auto ask = std::make_shared<Ask>();
  std::unique_lock<std::mutex> lock(asks_mutex_);
  const std::uint64_t token = next_ask_++;
  asks_[token] = ask;
  lock.unlock();
  const bool pushed = outbox.push({kAsk, token, frame});
  lock.lock();

  const auto bound = std::chrono::milliseconds(deadlock_ms);
  const auto step =
      std::max(std::chrono::milliseconds(1), std::min(std::chrono::milliseconds(100), bound / 4));
  std::uint32_t epoch = js.epoch.load();
  auto since = Clock::now();
  problem = nullptr;
  while (!ask->done) {
    if (!pushed || closed()) {
      problem = "closed";
      break;
    }
    ask->answered.wait_for(lock, step);
    if (js.depth.load() == 0 || js.epoch.load() != epoch) {  // the JS thread gets to its event loop
      epoch = js.epoch.load();
      since = Clock::now();
    } else if (Clock::now() - since >= bound && !ask->done) {
      problem = "deadlock";
      break;
    }
  }
  asks_.erase(token);
  if (problem != nullptr) return false;
  answer = std::move(ask->answer);
  return true;
}

void Engine::answer(std::uint64_t token, std::string bytes) {
  std::lock_guard<std::mutex> lock(asks_mutex_);
  auto found = asks_.find(token);
  if (found == asks_.end()) return;  // it gave up waiting
  found->second->answer = std::move(bytes);
  found->second->done = true;
  found->second->answered.notify_all();
}

}  // namespace isopy
