#include "departure.h"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <thread>
#include <vector>

#include "interpreter.h"
#include "threads.h"

namespace isopy {

namespace {

using namespace std::chrono_literals;

/// Between two interrupts of one thread. The first ones leave time for `finally` blocks; later ones do not
/// let a handler go on (`_isopy.leaving`).
constexpr auto kPause = 100ms;
constexpr auto kShortPause = 20ms;
constexpr int kPoliteWarnings = 3;
/// What Node and the other exit handlers get before a stuck thread costs the process its orderly end.
constexpr auto kPatience = 3s;
/// What exit handlers get.
constexpr auto kFarewell = 500ms;

// Never destroyed: threads use it while the process exits.
struct Registry {
  std::mutex mutex;
  std::vector<std::weak_ptr<Engine>> engines;
  bool bailiff = false;
};
Registry& registry = *new Registry;

using Engines = std::vector<std::shared_ptr<Engine>>;

/// With the mutex: engines whose thread has been told to leave and whose environment is still there.
Engines leaving() {
  Engines found;
  for (const auto& one : registry.engines) {
    std::shared_ptr<Engine> engine = one.lock();
    if (engine != nullptr && engine->js.leaving.load() && !engine->closed())
      found.push_back(std::move(engine));
  }
  return found;
}

bool is_inside(const std::shared_ptr<Engine>& engine) { return engine->js.depth.load() > 0; }

PyOwned attribute_of(const char* module_name, const char* name) {
  PyOwned module = PyOwned::steal(py().PyImport_ImportModule(module_name));
  return module ? PyOwned::steal(py().PyObject_GetAttrString(module.get(), name)) : PyOwned();
}

/// Raises KeyboardInterrupt in the engine's JS thread. On a control thread: exceptions go by thread, within
/// one interpreter.
void interrupt(const Gil&, Engine& engine) {
  engine.js.warned.store(false);
  if (engine.js.depth.load() == 0) return;
  // A thread's ident is its pthread_t, in every CPython on POSIX.
  const auto ident = (unsigned long)engine.js.thread;
  PyOwned insisting;
  if (engine.js.warnings.fetch_add(1) >= kPoliteWarnings) insisting = attribute_of("_isopy.leaving", "Leave");
  py().PyErr_Clear();
  py().PyThreadState_SetAsyncExc(ident, insisting ? insisting.get() : py().PyExc_KeyboardInterrupt);
  // A wait of `_isopy`'s own sees no exception before it is woken.
  PyOwned rouse = attribute_of("_isopy.lanes", "rouse");
  PyOwned number = PyOwned::steal(py().PyLong_FromUnsignedLongLong(ident));
  PyObject* args[] = {number.get()};
  if (!rouse || !number || !PyOwned::steal(py().vectorcall(rouse.get(), args, 1))) py().PyErr_Clear();
}

void bailiff() {
  for (;;) {
    Engines engines;
    {
      std::lock_guard<std::mutex> lock(registry.mutex);
      engines = leaving();
      if (engines.empty()) {
        registry.bailiff = false;
        return;
      }
    }
    bool polite = false;
    for (const auto& engine : engines) {
      polite = polite || (is_inside(engine) && engine->js.warnings.load() < kPoliteWarnings);
      if (!is_inside(engine) || engine->js.warned.exchange(true)) continue;
      engine->interpreter->post([engine](const Gil& gil) { interrupt(gil, *engine); });
    }
    engines.clear();
    std::this_thread::sleep_for(polite ? kPause : kShortPause);
  }
}

}  // namespace

void register_engine(const std::shared_ptr<Engine>& engine) {
  std::lock_guard<std::mutex> lock(registry.mutex);
  auto& all = registry.engines;
  all.erase(std::remove_if(all.begin(), all.end(), [](const auto& one) { return one.expired(); }), all.end());
  all.push_back(engine);
}

void expel(std::int64_t thread_id) {
  std::lock_guard<std::mutex> lock(registry.mutex);
  for (const auto& one : registry.engines) {
    const std::shared_ptr<Engine> engine = one.lock();
    if (engine == nullptr || pthread_equal(engine->js.thread, pthread_self()) != 0) continue;
    if (thread_id == kAllThreads || engine->js.id == thread_id) engine->js.leaving.store(true);
  }
  if (!registry.bailiff && !leaving().empty()) registry.bailiff = start_thread(&bailiff);
}

void say_farewell() {
  struct Said {
    std::mutex mutex;
    std::condition_variable changed;
    bool done = false;
  };
  auto said = std::make_shared<Said>();  // the handlers may take longer than we wait
  Interpreter::main()->post([said](const Gil&) {
    PyOwned module = PyOwned::steal(py().PyImport_ImportModule("_isopy.engine"));
    PyOwned farewell =
        module ? PyOwned::steal(py().PyObject_GetAttrString(module.get(), "farewell")) : PyOwned();
    if (!farewell || !PyOwned::steal(py().vectorcall(farewell.get(), nullptr, 0)))
      py().PyErr_WriteUnraisable(farewell.get());
    std::lock_guard<std::mutex> lock(said->mutex);
    said->done = true;
    said->changed.notify_all();
  });
  std::unique_lock<std::mutex> lock(said->mutex);
  said->changed.wait_for(lock, kFarewell, [&] { return said->done; });
}

void expel_before_exit(int code) {
  expel(kAllThreads);
  {
    std::lock_guard<std::mutex> lock(registry.mutex);
    if (leaving().empty()) return;
  }
  start_thread([code] {
    for (std::chrono::milliseconds waited = 0ms; waited < kPatience;) {
      std::this_thread::sleep_for(50ms);
      waited += 50ms;
      std::lock_guard<std::mutex> lock(registry.mutex);
      const Engines engines = leaving();
      if (std::none_of(engines.begin(), engines.end(), &is_inside)) waited = 0ms;  // it may go in again
    }
    std::fputs("isopy: a worker's thread does not leave Python; the process ends without it.\n", stderr);
    _exit(code);
  });
}

}  // namespace isopy
