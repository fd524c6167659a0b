/// The threads that run programs.
///
/// One worker is hot: it takes frames from the queue, attaches once per batch and lets the engine
/// work. Nobody else runs while it makes progress (more threads fight for the GIL and lower the
/// throughput of short calls). A worker whose program has not ended for a millisecond or two is
/// *stalled* (I/O, sleep, a long call): from then on the next frame wakes another worker at once,
/// and what was already handed to the stalled one is looked for by another (`Engine::queued`).
/// Workers are started on demand, up to kMaxWorkers, and kept. One whose program does not end when it is
/// interrupted is *written off*: it no longer counts, so another one may be started in its place. When its
/// program returns at last it works on, or ends if its place is taken.
#pragma once

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace isopy {

class Engine;
class Interpreter;
struct PyThreadState;

constexpr int kMaxWorkers = 64;

/// The workers of one interpreter. Never freed while a thread runs in it.
class Pool {
 public:
  explicit Pool(Interpreter& interpreter) : interpreter_(interpreter) {}
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  struct Job {
    std::shared_ptr<Engine> engine;
    std::string frame;  // empty: only look for work
  };
  /// Any thread, attached or not.
  void enqueue(Job job);
  /// Any thread but a worker, once: nothing is begun any more, and workers leave when they are free.
  void stop();
  /// Detached, after stop(): waits until every thread has left; whether they have.
  bool wait_empty(std::chrono::milliseconds bound);
  /// Any thread: no longer counts on the worker that is this thread. False when none is, or it is idle.
  bool write_off(pthread_t thread);

  struct Worker {
    std::condition_variable called;
    std::atomic<std::uint64_t> progress{0};
    // Guarded by Pool::mutex_.
    bool idle = false;
    bool stalled = false;
    bool written_off = false;
    pthread_t thread{};
    std::uint64_t seen = 0;
    std::chrono::steady_clock::time_point since;
    std::shared_ptr<Engine> engine;  // whose programs it runs
  };

 private:
  void rouse();
  bool linger(std::unique_lock<std::mutex>& lock);
  bool start(std::function<void()> body);
  void run(Worker& self);
  bool is_surplus(Worker& self);
  void retire(Worker& self, PyThreadState* state);
  void monitor();

  Interpreter& interpreter_;
  std::mutex mutex_;
  std::condition_variable watch_;  // the monitor
  std::condition_variable left_;
  int threads_ = 0;  // those that run here, the monitor among them
  bool stopping_ = false;
  bool monitor_started_ = false;
  bool monitor_asleep_ = false;
  std::deque<Job> jobs_;
  std::atomic<std::uint64_t> posted_{0};  // jobs so far, for a look without the mutex
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<Worker*> idle_;  // the last one is the warmest
  int advancing_ = 0;          // neither idle nor stalled
  std::size_t written_off_ = 0;
};

/// Any thread, attached or not: queues a SUBMIT frame.
void submit_frame(const std::shared_ptr<Engine>& engine, std::string frame);
/// Whether this thread has just received a frame for the engine and lets it work next.
bool works_next(const Engine& engine);
/// Any thread: `host.wake`, for one more entry in the engine's queue.
void request_work(const std::shared_ptr<Engine>& engine);
/// Attached, on the thread that begins a program: `host.tick`.
void note_progress(Engine& engine);

}  // namespace isopy
