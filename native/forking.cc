#include "forking.h"

#include <pthread.h>
#include <unistd.h>

#include <atomic>

namespace isopy {

namespace {

std::atomic<bool> forked{false};

}  // namespace

void watch_forks() {
  static const int done = pthread_atfork(nullptr, nullptr, [] { forked.store(true); });
  (void)done;  // out of memory: then a forked child is not recognised
}

bool in_forked_child() { return forked.load(std::memory_order_relaxed); }

void end_forked_child() {
  static constexpr char kText[] =
      "isopy: a forked child came back into the engine, which lives in its parent only; it ends here. "
      "End such a child with os._exit(), or start it with multiprocessing's spawn method.\n";
  const auto written = write(STDERR_FILENO, kText, sizeof kText - 1);
  (void)written;  // without a stderr the exit code has to say it
  _exit(70);
}

}  // namespace isopy
