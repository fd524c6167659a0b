#include "isolated.h"

#include <chrono>
#include <thread>

namespace isopy {

namespace {

using Clock = std::chrono::steady_clock;

/// `_isopy.isolated.guard(own_gil)`; false with an error set.
bool guard(const Gil&, bool own_gil) {
  PyOwned module = PyOwned::steal(py().PyImport_ImportModule("_isopy.isolated"));
  PyOwned install = module ? PyOwned::steal(py().PyObject_GetAttrString(module.get(), "guard")) : PyOwned();
  PyObject* args[] = {own_gil ? py()._Py_TrueStruct : py()._Py_FalseStruct};
  return install && PyOwned::steal(py().vectorcall(install.get(), args, 1));
}

/// What threads get to leave after Python has asked them to (`_isopy.isolated.farewell`).
constexpr auto kLeaving = std::chrono::milliseconds(500);
constexpr auto kLook = std::chrono::milliseconds(1);

/// Detached. The thread state of the new interpreter, detached, as this thread's first and only one;
/// null with `problem` set.
PyThreadState* make_interpreter(Isolation isolation, std::string& problem) {
  PyThreadState* outer = Interpreter::main()->new_thread_state();
  PyThreadState* made = nullptr;
  py().PyEval_RestoreThread(outer);
  // First in the interpreter that never ends: 3.13 keeps parts of it in memory that all interpreters share,
  // and whoever loads it first owns them (measured: with three at once memory was damaged in every run).
  PyOwned datetime = PyOwned::steal(py().PyImport_ImportModule("datetime"));
  if (!datetime) py().PyErr_Clear();
  datetime.reset();
  if (isolation == Isolation::kOwnGil) {
    if (py().Py_NewInterpreterFromConfig == nullptr) {
      problem = "this Python has no interpreters with a GIL of their own";
    } else {
      // Daemon threads are allowed: we look whether any is left before we end the interpreter.
      const PyInterpreterConfig config{0, 0, 0, 1, 1, 1, kOwnGil};
      const PyStatus status = py().Py_NewInterpreterFromConfig(&made, &config);
      if (status.type != 0 && status.message != nullptr) problem = status.message;
    }
  } else {
    made = py().Py_NewInterpreter();
  }
  if (made == nullptr && problem.empty()) problem = "CPython could not make another interpreter";
  if (made == nullptr) {
    py().PyThreadState_Swap(outer);
  } else {
    py().PyEval_SaveThread();
    py().PyEval_RestoreThread(outer);
  }
  py().PyThreadState_Clear(outer);
  py().PyThreadState_DeleteCurrent();
  return made;
}

/// The thread was bound to the main interpreter while `made` came to be; now it gets a state of its own.
PyThreadState* settle_in(PyThreadState* made) {
  py().PyEval_RestoreThread(made);
  PyThreadState* own = py().PyThreadState_New(py().PyInterpreterState_Get());
  py().PyThreadState_Swap(own);
  py().PyThreadState_Clear(made);
  py().PyThreadState_Delete(made);
  py().PyEval_SaveThread();
  return own;
}

/// Detached: whether every other thread state is gone in time.
bool wait_alone(Interpreter& interpreter, PyThreadState* own) {
  interpreter.pool.stop();
  const auto deadline = Clock::now() + kLeaving;
  if (!interpreter.pool.wait_empty(kLeaving)) return false;
  for (;;) {
    {
      GilAcquire gil(own);
      interpreter.dropped.drain(gil.token());
      // JavaScript may still view memory of its objects.
      if (interpreter.dropped.lent.load() == 0 && interpreter.is_alone(gil.token(), own)) return true;
    }
    if (Clock::now() >= deadline) return false;
    std::this_thread::sleep_for(kLook);  // a thread that has just ended still clears its state
  }
}

/// Detached; only when alone.
void end_interpreter(Interpreter& interpreter, PyThreadState* own) {
  // Up to 3.11 the GIL is held afterwards, and by nobody.
  PyThreadState* outer = Interpreter::main()->new_thread_state();
  py().PyEval_RestoreThread(own);
  GilHeld held;
  interpreter.drop_references(held.token());
  py().Py_EndInterpreter(own);
  py().PyThreadState_Swap(outer);
  py().PyThreadState_Clear(outer);
  py().PyThreadState_DeleteCurrent();
}

}  // namespace

void live_isolated(const std::shared_ptr<Interpreter>& interpreter, const PythonConfig& config,
                   Isolation isolation, const Interpreter::Task& begin,
                   const std::function<void(const std::string& problem)>& fail) {
  std::string problem;
  PyThreadState* own = nullptr;
  bool ready = false;
  {
    own = make_interpreter(isolation, problem);
    if (own == nullptr) {
      interpreter->finish();
      return fail(problem);
    }
    own = settle_in(own);
    GilAcquire gil(own);
    ready = interpreter->adopt(gil.token(), config) && guard(gil.token(), isolation == Isolation::kOwnGil);
    if (!ready) problem = take_error_text(gil.token());
  }
  if (ready) {
    {
      GilAcquire gil(own);
      begin(gil.token());
    }
    interpreter->serve(own);
  }
  if (wait_alone(*interpreter, own)) {
    end_interpreter(*interpreter, own);
  } else {
    // Left behind: its threads use it as long as they run.
    (void)new std::shared_ptr<Interpreter>(interpreter);
  }
  interpreter->finish();
  if (!ready) fail(problem);
}

}  // namespace isopy
