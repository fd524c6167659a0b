/// Interpreters beside the main one: modules of their own, from CPython 3.12 on also a GIL of their own.
///
/// Each has one engine and one control thread, which makes it, is its main thread in Python's eyes, and
/// ends it. Every thread that ever runs in it has its thread state there as its first one, so that the
/// `PyGILState` functions of extension modules find the right interpreter.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "interpreter.h"
#include "runtime.h"

namespace isopy {

enum class Isolation { kMain = 0, kSharedGil = 1, kOwnGil = 2 };

/// On a thread of its own, which becomes the control thread: makes the interpreter, calls `begin` attached
/// (`problem` is empty), serves until it is retired, and ends it. When it cannot be made, `fail` is
/// called instead.
///
/// Returns when all is over. An interpreter whose threads do not end in time is left behind with them:
/// CPython would end the process otherwise.
void live_isolated(const std::shared_ptr<Interpreter>& interpreter, const PythonConfig& config,
                   Isolation isolation, const Interpreter::Task& begin,
                   const std::function<void(const std::string& problem)>& fail);

}  // namespace isopy
