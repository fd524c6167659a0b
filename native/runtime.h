/// The one CPython of this process.
///
/// Started once, on a permanent native thread that is Python's main thread for ever (N8): it must
/// outlive every JS environment, so no JS thread may initialise Python. Afterwards that thread is the
/// control thread of the main interpreter. Never finalized (N9).
#pragma once

#include <string>
#include <vector>

#include "gil.h"

namespace isopy {

struct PythonConfig {
  std::string library;  // path of libpython
  std::string program;  // path of the chosen executable, not resolved: a venv is found from it
  std::string package;  // directory that holds the package `_isopy`
  std::string cache;    // directory for its byte code; empty: none
  bool deepbind = true;
  std::vector<std::string> environment;  // what `os.environ` is at the start
};

struct PythonStart {
  bool ok = false;
  std::string error;
};

/// Loads and initialises Python unless done; blocks until it is up (no JavaScript is needed for
/// it). Another Python than the running one is refused. Any thread, serialised inside.
PythonStart ensure_python(const PythonConfig& config);

/// What runs, or null. Stable once set.
const PythonConfig* running_python();

/// The pending Python error as text with its traceback; clears it.
std::string take_error_text(const Gil& gil);

}  // namespace isopy
