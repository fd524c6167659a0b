#include "pool.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>
#include <vector>

#include "host_object.h"
#include "runtime.h"

namespace isopy {

namespace {

using Clock = std::chrono::steady_clock;
/// A worker without progress for this long is stalled. Measured: an attach alone may take 5 ms
/// (CPython's switch interval) when another thread computes, but then a second worker gains nothing.
constexpr auto kPatience = std::chrono::microseconds(1500);

/// The monitor stays awake this many rounds after the last work: waking it costs the caller a
/// system call, which programs sent one by one would pay every time.
constexpr int kQuietRounds = 64;

struct Job {
  std::shared_ptr<Engine> engine;
  std::string frame;  // empty: only look for work
};

struct Worker {
  std::condition_variable called;
  std::atomic<std::uint64_t> progress{0};
  // Guarded by Pool::mutex.
  bool idle = false;
  bool stalled = false;
  std::uint64_t seen = 0;
  Clock::time_point since;
  std::shared_ptr<Engine> engine;  // whose programs it runs
};

// Never destroyed: detached threads use it while the process exits.
struct Pool {
  std::mutex mutex;
  std::condition_variable watch;  // the monitor
  bool monitor_started = false;
  bool monitor_asleep = false;
  std::deque<Job> jobs;
  std::vector<Worker*> workers;  // never freed
  std::vector<Worker*> idle;     // the last one is the warmest
  int advancing = 0;             // neither idle nor stalled
};
Pool& pool = *new Pool;

thread_local Worker* this_worker = nullptr;
thread_local const Engine* receiving = nullptr;

void run(Worker& self);
void monitor();

/// Makes sure that somebody takes the next job. With the mutex.
void rouse() {
  if (pool.advancing > 0) return;  // the monitor is awake and sees when it stalls
  Worker* worker = nullptr;
  if (!pool.idle.empty()) {
    worker = pool.idle.back();
    pool.idle.pop_back();
    worker->idle = false;
    worker->called.notify_one();
  } else if (pool.workers.size() < kMaxWorkers) {
    worker = new Worker;
    if (!start_thread([worker] { run(*worker); })) {
      delete worker;
      return;  // those that exist will get to it
    }
    pool.workers.push_back(worker);
  } else {
    return;
  }
  worker->stalled = false;
  worker->seen = worker->progress.load();
  worker->since = Clock::now();
  pool.advancing++;
  if (!pool.monitor_started) pool.monitor_started = start_thread(&monitor);
  if (pool.monitor_asleep) pool.watch.notify_one();
}

void enqueue(Job job) {
  std::lock_guard<std::mutex> lock(pool.mutex);
  pool.jobs.push_back(std::move(job));
  rouse();
}

void perform(const Gil& gil, const Job& job) {
  Engine& engine = *job.engine;
  if (engine.closed() || !engine.methods.engine) return;
  if (!job.frame.empty()) {
    receiving = &engine;
    const bool ok = receive_frame(gil, engine, 1, job.frame);
    receiving = nullptr;
    if (!ok) return;
  }
  const std::uint64_t before = engine.submitted.load();
  if (!engine.methods.engine) return;
  PyOwned work = PyOwned::share(engine.methods.work.get());  // closing may drop it meanwhile
  PyOwned result = PyOwned::steal(py().vectorcall(work.get(), nullptr, 0));
  if (!result) report_broken_engine(gil, engine);
  engine.note_empty(before);
}

void run(Worker& self) {
  this_worker = &self;
  PyThreadState* state = new_thread_state();
  std::unique_lock<std::mutex> lock(pool.mutex);
  for (;;) {
    if (pool.jobs.empty()) {
      if (!self.stalled) pool.advancing--;
      self.stalled = false;
      self.idle = true;
      pool.idle.push_back(&self);
      self.called.wait(lock, [&] { return !self.idle; });
      continue;
    }
    lock.unlock();
    {
      GilAcquire gil(state);
      for (;;) {
        lock.lock();
        if (pool.jobs.empty()) {
          lock.unlock();
          break;
        }
        Job job = std::move(pool.jobs.front());
        pool.jobs.pop_front();
        self.engine = job.engine;
        lock.unlock();
        perform(gil.token(), job);
        self.progress.fetch_add(1, std::memory_order_relaxed);
      }
    }
    lock.lock();
    self.engine.reset();
  }
}

/// Marks workers as stalled and rouses others while there is something to do. Sleeps when there is not.
void monitor() {
  std::unique_lock<std::mutex> lock(pool.mutex);
  int quiet = 0;
  for (;;) {
    quiet = pool.advancing == 0 && pool.jobs.empty() ? quiet + 1 : 0;
    if (quiet > kQuietRounds) {
      pool.monitor_asleep = true;
      pool.watch.wait(lock);
      pool.monitor_asleep = false;
      quiet = 0;
    } else {
      pool.watch.wait_for(lock, kPatience / 2);
    }
    const auto now = Clock::now();
    std::vector<std::shared_ptr<Engine>> left_behind;
    for (Worker* worker : pool.workers) {
      if (worker->idle) continue;
      const std::uint64_t progress = worker->progress.load(std::memory_order_relaxed);
      if (progress != worker->seen) {
        worker->seen = progress;
        worker->since = now;
        if (worker->stalled) {
          worker->stalled = false;
          pool.advancing++;
        }
      } else if (!worker->stalled && now - worker->since >= kPatience) {
        worker->stalled = true;
        pool.advancing--;
      }
      if (worker->stalled && worker->engine && worker->engine->may_have_work())
        left_behind.push_back(worker->engine);
    }
    if (pool.advancing > 0) continue;
    if (pool.jobs.empty()) {
      for (auto& engine : left_behind) {
        if (!engine->may_have_work()) continue;
        engine->explored.store(engine->stamp());  // one look per change
        pool.jobs.push_back({engine, ""});
      }
    }
    if (!pool.jobs.empty()) rouse();
  }
}

}  // namespace

void submit_frame(const std::shared_ptr<Engine>& engine, std::string frame, std::uint32_t programs) {
  engine->submitted.fetch_add(programs);
  enqueue({engine, std::move(frame)});
}

bool works_next(const Engine& engine) { return receiving == &engine; }

void request_work(const std::shared_ptr<Engine>& engine) {
  engine->submitted.fetch_add(1);
  enqueue({engine, ""});
}

void note_progress(Engine& engine) {
  engine.begun.fetch_add(1, std::memory_order_relaxed);
  if (this_worker != nullptr) this_worker->progress.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace isopy
