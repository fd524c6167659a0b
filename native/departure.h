/// JS threads that must come out of Python, because their environment ends or the process does.
///
/// Node waits for a worker's thread, and a thread inside a synchronous call does not hear of it. A
/// *bailiff* raises KeyboardInterrupt there until the thread has left Python for good; code that
/// swallows one gets the next.
#pragma once

#include <cstdint>
#include <memory>

#include "engine.h"

namespace isopy {

/// Every JS thread but the calling one.
constexpr std::int64_t kAllThreads = -1;

/// Any thread: remembers the engine as long as it lives.
void register_engine(const std::shared_ptr<Engine>& engine);

/// JS thread: the thread with this `worker_threads` id (or all others) shall leave Python.
void expel(std::int64_t thread_id);

/// JS thread, at the end of the process: expels all others, and ends the process with `code` if one of
/// them is still inside a synchronous call after a bound, because Node would wait for it for ever.
void expel_before_exit(int code);

/// JS thread, at the end of the process: runs Python's exit handlers and flushes its streams, on the
/// control thread; waits for it within a bound.
void say_farewell();

}  // namespace isopy
