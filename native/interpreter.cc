#include "interpreter.h"

#include <utility>

#include "bootstrap.h"
#include "forking.h"
#include "lent_function.h"
#include "lent_memory.h"
#include "runtime.h"
#include "variables.h"

namespace isopy {

const std::shared_ptr<Interpreter>& Interpreter::main() {
  // Never destroyed: detached threads use it while the process exits.
  static const auto& only = *new std::shared_ptr<Interpreter>(std::make_shared<Interpreter>());
  return only;
}

bool Interpreter::adopt(const Gil& gil, const PythonConfig& config) {
  state_ = py().PyInterpreterState_Get();
  PyOwned scope = PyOwned::steal(py().PyDict_New());
  PyOwned directory = PyOwned::steal(py().PyUnicode_DecodeUTF8(
      config.package.data(), static_cast<Py_ssize_t>(config.package.size()), "surrogateescape"));
  // RTLD_NOW | RTLD_DEEPBIND: extension modules get their own OpenSSL and zlib, not Node's.
  PyOwned flags =
      config.deepbind ? PyOwned::steal(py().PyLong_FromLongLong(2 | 8)) : PyOwned::share(py()._Py_NoneStruct);
  PyOwned cache =
      config.cache.empty()
          ? PyOwned::share(py()._Py_NoneStruct)
          : PyOwned::steal(py().PyUnicode_DecodeUTF8(
                config.cache.data(), static_cast<Py_ssize_t>(config.cache.size()), "surrogateescape"));
  if (!scope || !directory || !flags || !cache) return false;
  if (py().PyDict_SetItemString(scope.get(), "__builtins__", py().PyEval_GetBuiltins()) != 0) return false;
  if (!install_lent_types(gil) || !install_variables(gil)) return false;
  if (this == main().get() && !install_lent_memory(gil)) return false;
  if (!PyOwned::steal(py().PyRun_StringFlags(kBootstrap, kPyFileInput, scope.get(), scope.get(), nullptr)))
    return false;
  PyObject* isolated = this == main().get() ? py()._Py_FalseStruct : py()._Py_TrueStruct;
  PyObject* args[] = {directory.get(), flags.get(), isolated, cache.get()};
  if (!PyOwned::steal(py().vectorcall(py().PyDict_GetItemString(scope.get(), "load"), args, 4))) return false;
  prepare_ = PyOwned::share(py().PyDict_GetItemString(scope.get(), "prepare")).release();
  return true;
}

void Interpreter::Tasks::serve(PyThreadState* own) {
  for (;;) {
    std::deque<Task> tasks;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      posted_.wait(lock, [this] { return retired_ || !tasks_.empty(); });
      tasks.swap(tasks_);
      if (tasks.empty()) return;
    }
    GilAcquire gil(own);
    for (auto& task : tasks) {
      task(gil.token());
      if (in_forked_child()) end_forked_child();
    }
    tasks.clear();  // attached: a task may own Python references
  }
}

bool Interpreter::Tasks::post(Task task) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (retired_) return false;
  tasks_.push_back(std::move(task));
  posted_.notify_all();
  return true;
}

void Interpreter::Tasks::retire() {
  std::lock_guard<std::mutex> lock(mutex_);
  retired_ = true;
}

void Interpreter::retire(std::function<void()> over) {
  control_.retire();
  over_ = std::move(over);
}

void Interpreter::drop_references(const Gil&) {
  if (prepare_ != nullptr) py().Py_DecRef(std::exchange(prepare_, nullptr));
}

void Interpreter::finish() {
  control_.retire();
  if (over_) std::exchange(over_, nullptr)();
}

void Interpreter::wake_for_dropped() {
  // Where nobody calls Python any more, the control thread releases them.
  if (dropped.waiting()) post([this](const Gil& gil) { dropped.drain(gil); });
}

bool Interpreter::prepare_engine(const Gil&, const std::string& setup) {
  PyOwned bytes =
      PyOwned::steal(py().PyBytes_FromStringAndSize(setup.data(), static_cast<Py_ssize_t>(setup.size())));
  PyObject* args[] = {bytes.get()};
  return bytes && PyOwned::steal(py().vectorcall(prepare_, args, 1));
}

PyThreadState* Interpreter::new_thread_state() const { return py().PyThreadState_New(state_); }

bool Interpreter::is_alone(const Gil&, PyThreadState* own) const {
  return py().PyInterpreterState_ThreadHead(state_) == own && py().PyThreadState_Next(own) == nullptr;
}

}  // namespace isopy
