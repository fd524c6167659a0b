/// First steps of coroutines, taken on their loop's thread without Python code of ours.
///
/// `_isopy.driving` is the reference and owns the queue, the task and every later step. This is its loop over
/// the common items: a coroutine that is the only output of a program of the default context, and ends in its
/// first step with plain data. What turns out to be anything else goes back to Python with how far it got.
#pragma once

#include "engine.h"

namespace isopy {

/// Whether this Python has what that needs.
bool can_take_first_steps();
/// `host.first_steps(driver, lane, task, most)` → (taken, item or None, state, value): so many were taken,
/// and the last of them is Python's to end. Stops before an item that is not common, and after one that left
/// a mark on the task. Null with an error set.
PyObject* take_first_steps(const Gil& gil, Engine& engine, PyObject* const* args, Py_ssize_t count);

}  // namespace isopy
