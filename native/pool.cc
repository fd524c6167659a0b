#include "pool.h"

#include <thread>
#include <utility>

#include "engine.h"
#include "evaluator.h"
#include "forking.h"
#include "host_object.h"
#include "interpreter.h"
#include "threads.h"

namespace isopy {

namespace {

using Clock = std::chrono::steady_clock;
/// A worker without progress for this long is stalled. Measured: an attach alone may take 5 ms
/// (CPython's switch interval) when another thread computes, but then a second worker gains nothing.
constexpr auto kPatience = std::chrono::microseconds(1500);

/// The monitor stays awake this many rounds after the last work: waking it costs the caller a
/// system call, which programs sent one by one would pay every time.
constexpr int kQuietRounds = 64;

/// A worker that has just emptied the queue looks for more so long before it sleeps: waking it costs the
/// JS thread a system call, and another core's sleep.
constexpr auto kLinger = std::chrono::microseconds(30);

thread_local Pool::Worker* this_worker = nullptr;
thread_local const Engine* receiving = nullptr;

void perform(const Gil& gil, const Pool::Job& job) {
  Engine& engine = *job.engine;
  // Before programs that may want to resize what is no longer viewed.
  engine.interpreter->dropped.drain(gil);
  if (engine.closed() || !engine.methods.engine) return;
  if (!job.frame.empty()) {
    receiving = &engine;
    // Without the GIL two threads could take the same head of the queue: there Python runs everything.
    const bool ok = (py().plain_layout && queue_batch(gil, engine, job.frame)) ||
                    receive_frame(gil, engine, 1, job.frame);
    receiving = nullptr;
    if (!ok) return;
  }
  if (!engine.methods.engine) return;
  if (py().plain_layout) {
    run_queued(gil, engine);
  } else {
    engine.queued.store(1);                                    // nobody counts: there may always be more
    PyOwned work = PyOwned::share(engine.methods.work.get());  // closing may drop it meanwhile
    PyOwned result = PyOwned::steal(py().vectorcall(work.get(), nullptr, 0));
    if (!result) report_broken_engine(gil, engine);
  }
  if (in_forked_child()) end_forked_child();
}

}  // namespace

/// A thread that counts until it ends. With the mutex.
bool Pool::start(std::function<void()> body) {
  const bool started = start_thread([this, body = std::move(body)] {
    body();
    std::lock_guard<std::mutex> lock(mutex_);
    threads_--;
    left_.notify_all();
  });
  if (started) threads_++;
  return started;
}

void Pool::stop() {
  std::deque<Job> dropped;
  std::lock_guard<std::mutex> lock(mutex_);
  stopping_ = true;
  dropped.swap(jobs_);
  watch_.notify_all();
  for (auto& worker : workers_) worker->called.notify_all();
}

bool Pool::wait_empty(std::chrono::milliseconds bound) {
  std::unique_lock<std::mutex> lock(mutex_);
  return left_.wait_for(lock, bound, [this] { return threads_ == 0; });
}

/// Makes sure that somebody takes the next job. With the mutex.
void Pool::rouse() {
  if (stopping_) return;
  if (advancing_ > 0) return;  // the monitor is awake and sees when it stalls
  Worker* worker = nullptr;
  if (!idle_.empty()) {
    worker = idle_.back();
    idle_.pop_back();
    worker->idle = false;
    worker->called.notify_one();
  } else if (workers_.size() - written_off_ < kMaxWorkers) {
    auto fresh = std::make_unique<Worker>();
    worker = fresh.get();
    if (!start([this, worker] { run(*worker); })) return;  // those that exist will get to it
    workers_.push_back(std::move(fresh));
  } else {
    return;
  }
  worker->stalled = false;
  worker->seen = worker->progress.load();
  worker->since = Clock::now();
  advancing_++;
  if (!monitor_started_) monitor_started_ = start([this] { monitor(); });
  if (monitor_asleep_) watch_.notify_one();
}

void Pool::enqueue(Job job) {
  if (in_forked_child()) return;  // nobody is here to do it
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (stopping_) return;
    jobs_.push_back(std::move(job));
    rouse();
  }
  posted_.fetch_add(1, std::memory_order_release);  // now: a worker that lingers takes the mutex at once
}

/// Waits a moment for the next job; whether there is one. Detached, and counted as advancing, so that
/// nobody else is woken.
bool Pool::linger(std::unique_lock<std::mutex>& lock) {
  const std::uint64_t seen = posted_.load(std::memory_order_relaxed);
  lock.unlock();
  const auto end = Clock::now() + kLinger;
  // Yielding, not spinning: where the JS thread shares this core it must get to run (one call in flight on
  // one busy core: 97 k calls a second, 62 k with `pause`, 80 k without lingering).
  while (posted_.load(std::memory_order_relaxed) == seen && Clock::now() < end) std::this_thread::yield();
  lock.lock();
  return !jobs_.empty();
}

bool Pool::write_off(pthread_t thread) {
  std::lock_guard<std::mutex> lock(mutex_);
  for (auto& worker : workers_) {
    if (pthread_equal(worker->thread, thread) == 0 || worker->idle || worker->written_off) continue;
    worker->written_off = true;
    written_off_++;
    if (!worker->stalled) advancing_--;
    worker->stalled = true;
    if (!jobs_.empty()) rouse();
    return true;
  }
  return false;
}

/// Takes a worker back into account; whether there is no place for it any more. With the mutex.
bool Pool::is_surplus(Worker& self) {
  if (!self.written_off) return false;
  self.written_off = false;
  written_off_--;
  return workers_.size() - written_off_ > kMaxWorkers;
}

/// Ends this thread, which is attached. Frees the worker.
void Pool::retire(Worker& self, PyThreadState* state) {
  this_worker = nullptr;
  // Another thread may get its ident.
  PyOwned lanes = PyOwned::steal(py().PyImport_ImportModule("_isopy.lanes"));
  PyOwned drop = lanes ? PyOwned::steal(py().PyObject_GetAttrString(lanes.get(), "drop_lane")) : PyOwned();
  if (!drop || !PyOwned::steal(py().vectorcall(drop.get(), nullptr, 0))) py().PyErr_Clear();
  drop.reset();
  lanes.reset();
  py().PyThreadState_Clear(state);
  py().PyThreadState_DeleteCurrent();
  std::lock_guard<std::mutex> lock(mutex_);
  if (!self.stalled) advancing_--;
  for (auto worker = workers_.begin(); worker != workers_.end(); ++worker) {
    if (worker->get() != &self) continue;
    workers_.erase(worker);
    break;
  }
  if (!jobs_.empty()) rouse();
}

void Pool::run(Worker& self) {
  this_worker = &self;
  PyThreadState* state = interpreter_.new_thread_state();
  std::unique_lock<std::mutex> lock(mutex_);
  self.thread = pthread_self();
  while (!stopping_) {
    if (jobs_.empty()) {
      if (!self.stalled && linger(lock)) continue;
      if (!self.stalled) advancing_--;
      self.stalled = false;
      self.idle = true;
      idle_.push_back(&self);
      self.called.wait(lock, [&] { return !self.idle || stopping_; });
      continue;
    }
    lock.unlock();
    bool surplus = false;
    {
      GilAcquire gil(state);
      for (;;) {
        lock.lock();
        if (is_surplus(self)) {
          lock.unlock();
          surplus = true;
          break;
        }
        if (jobs_.empty()) {
          lock.unlock();
          break;
        }
        Job job = std::move(jobs_.front());
        jobs_.pop_front();
        self.engine = job.engine;
        lock.unlock();
        perform(gil.token(), job);
        self.progress.fetch_add(1, std::memory_order_relaxed);
      }
    }
    if (surplus) {
      py().PyEval_RestoreThread(state);
      std::shared_ptr<Engine> last;  // dropped without the mutex, which the monitor needs to look at it
      lock.lock();
      last.swap(self.engine);
      lock.unlock();
      last.reset();
      return retire(self, state);
    }
    lock.lock();
    self.engine.reset();
  }
  lock.unlock();
  py().PyEval_RestoreThread(state);
  py().PyThreadState_Clear(state);
  py().PyThreadState_DeleteCurrent();
}

/// Marks workers as stalled and rouses others while there is something to do. Sleeps when there is not.
void Pool::monitor() {
  std::unique_lock<std::mutex> lock(mutex_);
  int quiet = 0;
  while (!stopping_) {
    quiet = advancing_ == 0 && jobs_.empty() ? quiet + 1 : 0;
    if (quiet > kQuietRounds) {
      monitor_asleep_ = true;
      watch_.wait(lock);
      monitor_asleep_ = false;
      quiet = 0;
    } else {
      watch_.wait_for(lock, kPatience / 2);
    }
    const auto now = Clock::now();
    std::vector<std::shared_ptr<Engine>> left_behind;
    for (auto& worker : workers_) {
      if (worker->idle) continue;
      const std::uint64_t progress = worker->progress.load(std::memory_order_relaxed);
      if (progress != worker->seen) {
        worker->seen = progress;
        worker->since = now;
        if (worker->stalled) {
          worker->stalled = false;
          advancing_++;
        }
      } else if (!worker->stalled && now - worker->since >= kPatience) {
        worker->stalled = true;
        advancing_--;
      }
      if (worker->stalled && worker->engine) worker->engine->outbox.announce();
      if (worker->stalled && worker->engine && worker->engine->may_have_work())
        left_behind.push_back(worker->engine);
    }
    if (advancing_ > 0) continue;
    if (jobs_.empty()) {
      for (auto& engine : left_behind) {
        if (!engine->may_have_work()) continue;
        engine->explored.store(engine->changes.load());  // one look per change
        jobs_.push_back({engine, ""});
      }
    }
    if (!jobs_.empty()) rouse();
  }
}

void submit_frame(const std::shared_ptr<Engine>& engine, std::string frame) {
  engine->changes.fetch_add(1);
  engine->interpreter->pool.enqueue({engine, std::move(frame)});
}

bool works_next(const Engine& engine) { return receiving == &engine; }

void request_work(const std::shared_ptr<Engine>& engine) {
  engine->changes.fetch_add(1);
  engine->interpreter->pool.enqueue({engine, ""});
}

void note_progress(Engine& engine) {
  engine.changes.fetch_add(1, std::memory_order_relaxed);
  if (this_worker != nullptr) this_worker->progress.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace isopy
