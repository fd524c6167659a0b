/// The one CPython of this process and its control thread.
///
/// Started once, on a permanent native thread that is Python's main thread for ever (N8): it must
/// outlive every JS environment, so no JS thread may initialise Python. Afterwards the control
/// thread runs the tasks posted to it (open and close an engine, control frames), attached while
/// it has some and detached in between. Never finalized (N9).
#pragma once

#include <pthread.h>

#include <functional>
#include <string>

#include "gil.h"

namespace isopy {

/// Frames, handlers and `json` recurse in C: small stacks segfault (measured: 2 MB is too little).
constexpr std::size_t kStackBytes = 16u << 20;

struct PythonConfig {
  std::string library;  // path of libpython
  std::string program;  // path of the chosen executable, not resolved: a venv is found from it
  std::string package;  // directory that holds the package `_isopy`
  bool deepbind = true;
};

struct PythonStart {
  bool ok = false;
  std::string error;
};

/// Starts a detached thread with a big stack; `body` is owned. False when the system refuses.
bool start_thread(std::function<void()> body);

/// Loads and initialises Python unless done; blocks until it is up (no JavaScript is needed for
/// it). Another Python than the running one is refused. Any thread, serialised inside.
PythonStart ensure_python(const PythonConfig& config);

/// What runs, or null. Stable once set.
const PythonConfig* running_python();

/// Any thread: runs the task on the control thread, attached, in order.
void post_control(std::function<void(const Gil&)> task);

/// Applies an engine's paths, environment variables and arguments. False with an error set.
bool prepare_engine(const Gil& gil, const std::string& setup);

/// A thread state for the calling thread, detached. The thread keeps it for itself.
PyThreadState* new_thread_state();

/// The pending Python error as text with its traceback; clears it.
std::string take_error_text(const Gil& gil);

}  // namespace isopy
