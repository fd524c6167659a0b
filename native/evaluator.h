/// Runs programs without Python code of ours: the common ones whole, the others through `_isopy`.
///
/// `_isopy` is the reference: the queue, the lanes and the interrupts are its own objects, and this is
/// another loop over the same queue (`Scheduler._work`). A program is *fast* when its shape says that it
/// can be: import, get, item and call with plain operands, in the default context, at most
/// kMostInstructions of them, not cancelled. That is decided before it begins. What a fast program
/// cannot end by itself (a failure, a value that is no plain data) `_isopy` ends, given the slots so far
/// (`Scheduler.take_over`). So errors, handles and awaitables have one implementation.
///
/// An interrupt may strike wherever Python code runs while the lane names the program, and nowhere
/// else: C++ lets no bytecode run between a program's end and `leave`.
#pragma once

#include <memory>
#include <string>

#include "engine.h"

namespace isopy {

/// What the evaluator uses of a Python engine. Immutable; dropped attached.
struct ProgramParts {
  PyOwned engine, flush, stream;
  PyOwned queue, popleft, extend, admit, work_some, take_over, abort;
  PyOwned pending, cancelled, leave, forget_late;
  PyOwned handle;
  PyOwned printed, dropped;
  PyOwned lane, import_module;
  /// Of coroutines: the default context, its `settle`, and the variable that names a task's program.
  PyOwned context, settle, task_variable, weakref_count;
  PyOwned engine_name, program_name, depth_name, closed_name, zero, one;
  PyOwned loop_name, driver_name, queue_name, append_name, popleft_name, called_name, call_name;
  PyOwned stepping_name, callbacks_name, must_cancel_name;

  /// Null with an error set.
  static std::shared_ptr<const ProgramParts> fetch(const Gil& gil, const PyOwned& engine);
};

/// The lane has left the program: an interrupt that came too late is taken back. Whether the program was
/// given up meanwhile, and has been settled.
bool leave_program(const Gil& gil, Engine& engine, const ProgramParts& parts, PyObject* lane,
                   PyObject* number);
/// Queues the programs of a SUBMIT frame. False when `_isopy` has to read it.
bool queue_batch(const Gil& gil, Engine& engine, const std::string& frame);
/// Runs queued programs until the queue is empty, on a thread of the pool.
void run_queued(const Gil& gil, Engine& engine);
/// `host.reply(flat)`: sends what was printed before, then the reply. False with an error set.
bool send_reply(const Gil& gil, Engine& engine, PyObject* flat);

}  // namespace isopy
