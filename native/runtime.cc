#include "runtime.h"

#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <memory>
#include <mutex>
#include <utility>

#include "bootstrap.h"

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
  PythonConfig config;
  PyInterpreterState* interpreter = nullptr;
  PyObject* prepare = nullptr;  // kept for ever
  std::deque<std::function<void(const Gil&)>> tasks;
};
Runtime& runtime = *new Runtime;

void* thread_entry(void* raw) {
  std::unique_ptr<std::function<void()>> body(static_cast<std::function<void()>*>(raw));
  (*body)();
  return nullptr;
}

/// Runs the bootstrap source and keeps its `prepare`.
bool bootstrap(const Gil&, const PythonConfig& config) {
  PyOwned scope = PyOwned::steal(py().PyDict_New());
  PyOwned directory = PyOwned::steal(py().PyUnicode_DecodeUTF8(
      config.package.data(), static_cast<Py_ssize_t>(config.package.size()), "surrogateescape"));
  // RTLD_NOW | RTLD_DEEPBIND: extension modules get their own OpenSSL and zlib, not Node's.
  PyOwned flags =
      config.deepbind ? PyOwned::steal(py().PyLong_FromLongLong(2 | 8)) : PyOwned::share(py()._Py_NoneStruct);
  if (!scope || !directory || !flags) return false;
  if (py().PyDict_SetItemString(scope.get(), "__builtins__", py().PyEval_GetBuiltins()) != 0) return false;
  if (!PyOwned::steal(py().PyRun_StringFlags(kBootstrap, kPyFileInput, scope.get(), scope.get(), nullptr)))
    return false;
  PyObject* args[] = {directory.get(), flags.get()};
  if (!PyOwned::steal(py().vectorcall(py().PyDict_GetItemString(scope.get(), "load"), args, 2))) return false;
  runtime.prepare = PyOwned::share(py().PyDict_GetItemString(scope.get(), "prepare")).release();
  return true;
}

/// PYTHONHOME belongs to the Python the user runs by hand; here the executable decides.
void initialise_without_home() {
  const char* home = std::getenv("PYTHONHOME");
  const std::string saved = home != nullptr ? home : "";
  if (home != nullptr) unsetenv("PYTHONHOME");
  py().Py_InitializeEx(0);  // 0: signals stay Node's
  if (home != nullptr) setenv("PYTHONHOME", saved.c_str(), 1);
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
  if (!bootstrap(held.token(), config)) error = take_error_text(held.token());
  runtime.interpreter = py().PyInterpreterState_Get();
  return py().PyEval_SaveThread();
}

void control_thread(const PythonConfig& config) {
  std::string error = load_python(config.library, config.deepbind);
  PyThreadState* state = error.empty() ? initialise(config, error) : nullptr;
  {
    std::lock_guard<std::mutex> lock(runtime.mutex);
    runtime.finished_start = true;
    runtime.error = error;
    runtime.running = error.empty();
    runtime.changed.notify_all();
  }
  if (!error.empty() && state == nullptr) return;
  for (;;) {
    std::deque<std::function<void(const Gil&)>> tasks;
    {
      std::unique_lock<std::mutex> lock(runtime.mutex);
      runtime.changed.wait(lock, [] { return !runtime.tasks.empty(); });
      tasks.swap(runtime.tasks);
    }
    GilAcquire gil(state);
    for (auto& task : tasks) task(gil.token());
    tasks.clear();  // attached: a task may own Python references
  }
}

}  // namespace

bool start_thread(std::function<void()> body) {
  auto owned = std::make_unique<std::function<void()>>(std::move(body));
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0) return false;
  pthread_attr_setstacksize(&attributes, kStackBytes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_t thread;
  const bool ok = pthread_create(&thread, &attributes, &thread_entry, owned.get()) == 0;
  pthread_attr_destroy(&attributes);
  if (ok) (void)owned.release();  // the thread owns it now
  return ok;
}

PythonStart ensure_python(const PythonConfig& config) {
  std::lock_guard<std::mutex> serial(runtime.start_mutex);
  std::unique_lock<std::mutex> lock(runtime.mutex);
  if (runtime.running) {
    if (runtime.config.library == config.library && runtime.config.program == config.program)
      return {true, ""};
    return {false,
            "this process already runs " + runtime.config.program + " (" + runtime.config.library + ")"};
  }
  if (runtime.finished_start && runtime.interpreter != nullptr) {
    return {false, "an earlier start of Python in this process failed: " + runtime.error};
  }
  runtime.finished_start = false;
  runtime.config = config;
  pin_addon();
  lock.unlock();
  if (!start_thread([config] { control_thread(config); })) {
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

void post_control(std::function<void(const Gil&)> task) {
  std::lock_guard<std::mutex> lock(runtime.mutex);
  runtime.tasks.push_back(std::move(task));
  runtime.changed.notify_all();
}

bool prepare_engine(const Gil&, const std::string& setup) {
  PyOwned bytes =
      PyOwned::steal(py().PyBytes_FromStringAndSize(setup.data(), static_cast<Py_ssize_t>(setup.size())));
  PyObject* args[] = {bytes.get()};
  return bytes && PyOwned::steal(py().vectorcall(runtime.prepare, args, 1));
}

PyThreadState* new_thread_state() { return py().PyThreadState_New(runtime.interpreter); }

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
