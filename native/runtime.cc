#include "runtime.h"

#include <condition_variable>
#include <cstdlib>
#include <mutex>

#include "crash.h"
#include "forking.h"
#include "interpreter.h"
#include "threads.h"
#include "variables.h"

namespace isopy {

namespace {

// Never destroyed: detached threads use it while the process exits.
struct Runtime {
  std::mutex start_mutex;  // serialises ensure_python
  std::mutex mutex;        // guards what follows
  std::condition_variable changed;
  bool running = false;
  bool finished_start = false;
  std::string error;
  bool loaded = false;  // Python is in the process, whether or not it is usable
  PythonConfig config;
};
Runtime& runtime = *new Runtime;

/// PYTHONHOME belongs to the Python the user runs by hand; here the executable decides.
void initialise_without_home() {
  const char* home = std::getenv("PYTHONHOME");
  const std::string saved = home != nullptr ? home : "";
  if (home != nullptr) unset_variable("PYTHONHOME");
  py().Py_InitializeEx(0);  // 0: signals stay Node's
  if (home != nullptr) put_variable("PYTHONHOME", saved);
}

/// Initialises, loads the package, and leaves the thread detached; its state, or null.
PyThreadState* initialise(const PythonConfig& config, std::string& error) {
  if (py().Py_IsInitialized() != 0) {
    error = "another addon has already started a Python in this process";
    return nullptr;
  }
  // Must outlive the interpreter.
  wchar_t* program = py().Py_DecodeLocale(config.program.c_str(), nullptr);
  if (program == nullptr) {
    error = "the path of the executable cannot be decoded";
    return nullptr;
  }
  py().Py_SetProgramName(program);
  initialise_without_home();
  GilHeld held;
  verify_layout();
  if (!Interpreter::main()->adopt(held.token(), config)) error = take_error_text(held.token());
  if (error.empty()) report_crashes(held.token());
  return py().PyEval_SaveThread();
}

void main_thread(const PythonConfig& config) {
  std::string error = load_python(config.library, config.deepbind, config.environment);
  PyThreadState* state = error.empty() ? initialise(config, error) : nullptr;
  // Programs run on this thread, Python's main one, so what must get through to them has another one.
  const bool controlled = !error.empty() || start_thread([] {
    Interpreter& interpreter = *Interpreter::main();
    interpreter.serve(interpreter.new_thread_state());
  });
  if (!controlled) error = "the system refused to start a thread with a 16 MB stack";
  {
    std::lock_guard<std::mutex> lock(runtime.mutex);
    runtime.finished_start = true;
    runtime.loaded = state != nullptr;
    runtime.error = error;
    runtime.running = error.empty();
    runtime.changed.notify_all();
  }
  if (state != nullptr) Interpreter::main()->serve_main(state);
}

}  // namespace

PythonStart ensure_python(const PythonConfig& config) {
  std::lock_guard<std::mutex> serial(runtime.start_mutex);
  std::unique_lock<std::mutex> lock(runtime.mutex);
  if (runtime.running) {
    if (runtime.config.library == config.library && runtime.config.program == config.program)
      return {true, ""};
    return {false,
            "this process already runs " + runtime.config.program + " (" + runtime.config.library + ")"};
  }
  if (runtime.finished_start && runtime.loaded) {
    return {false, "an earlier start of Python in this process failed: " + runtime.error};
  }
  runtime.finished_start = false;
  runtime.config = config;
  pin_addon();
  watch_forks();
  lock.unlock();
  if (!start_thread([config] { main_thread(config); })) {
    return {false, "the system refused to start a thread with a 16 MB stack"};
  }
  lock.lock();
  runtime.changed.wait(lock, [] { return runtime.finished_start; });
  return {runtime.running, runtime.error};
}

const PythonConfig* running_python() {
  std::lock_guard<std::mutex> lock(runtime.mutex);
  return runtime.running ? &runtime.config : nullptr;
}

std::string take_error_text(const Gil&) {
  PyObject *type = nullptr, *value = nullptr, *traceback = nullptr;
  py().PyErr_Fetch(&type, &value, &traceback);
  if (type == nullptr) return "an unknown error";
  py().PyErr_NormalizeException(&type, &value, &traceback);
  PyOwned owned_type = PyOwned::steal(type), owned_value = PyOwned::steal(value),
          owned_traceback = PyOwned::steal(traceback);
  PyOwned text;
  PyOwned module = PyOwned::steal(py().PyImport_ImportModule("traceback"));
  if (module) {
    PyOwned name = PyOwned::steal(py().PyUnicode_InternFromString("format_exception"));
    PyObject* none = py()._Py_NoneStruct;
    PyObject* args[] = {module.get(), owned_type.get(), value != nullptr ? value : none,
                        traceback != nullptr ? traceback : none};
    PyOwned lines =
        name ? PyOwned::steal(py().PyObject_VectorcallMethod(name.get(), args, 4, nullptr)) : PyOwned();
    PyOwned empty = PyOwned::steal(py().PyUnicode_FromStringAndSize("", 0));
    PyOwned join = PyOwned::steal(py().PyUnicode_InternFromString("join"));
    if (lines && empty && join) {
      PyObject* join_args[] = {empty.get(), lines.get()};
      text = PyOwned::steal(py().PyObject_VectorcallMethod(join.get(), join_args, 2, nullptr));
    }
  }
  py().PyErr_Clear();
  if (!text) text = PyOwned::steal(py().PyObject_Str(owned_value ? owned_value.get() : owned_type.get()));
  Py_ssize_t length = 0;
  const char* utf8 = text ? py().PyUnicode_AsUTF8AndSize(text.get(), &length) : nullptr;
  py().PyErr_Clear();
  return utf8 != nullptr ? std::string(utf8, static_cast<std::size_t>(length)) : "an error without a text";
}

}  // namespace isopy
