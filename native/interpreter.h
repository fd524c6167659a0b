/// One Python interpreter: its control thread, its tasks and its pool.
///
/// Whatever refers to Python objects or runs Python belongs to exactly one interpreter: objects of one
/// must never be seen by another. Shared (std::shared_ptr) by the engines that live in it; the
/// main one is permanent, others live as long as their one engine (isolated.h).
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "deferred.h"
#include "gil.h"
#include "pool.h"
#include "stream_reader.h"
#include "stream_writer.h"

namespace isopy {

struct PythonConfig;

class Interpreter {
 public:
  using Task = std::function<void(const Gil&)>;

  /// The one that `Py_Initialize` makes. It is there from the start and for ever; Python is in it once
  /// `ensure_python` has returned.
  static const std::shared_ptr<Interpreter>& main();

  Interpreter() : pool(*this) {}
  Interpreter(const Interpreter&) = delete;
  Interpreter& operator=(const Interpreter&) = delete;

  Pool pool;
  /// For the codec that Python itself calls; attached only. Writing never lets go of the GIL; reading may
  /// (a collection may run a finalizer), and then a second reader gives up and `_isopy` reads.
  StreamWriter writer;
  StreamReader reader;

  /// Any thread: gives a buffer back as soon as somebody attaches.
  void drop_later(const Py_buffer& buffer) { dropped.push(buffer); }
  /// Any thread: sees to it that somebody does, if buffers wait.
  void wake_for_dropped();
  DeferredReleases dropped;

  /// On the control thread, once: takes the interpreter that the thread is attached to and loads
  /// `_isopy` into it. False with an error set.
  bool adopt(const Gil& gil, const PythonConfig& config);
  /// On the control thread, detached: runs what is posted, until a task retires the interpreter.
  void serve(PyThreadState* own) { control_.serve(own); }
  /// On Python's main thread, where that is not the control thread: likewise, for ever.
  void serve_main(PyThreadState* own) { main_.serve(own); }
  /// On the control thread: nothing is run after this task, and `over` is called when all is over.
  void retire(std::function<void()> over);
  /// On the control thread, after serve(), attached: drops what it holds of Python.
  void drop_references(const Gil& gil);
  /// On the control thread, when nothing of it will run again.
  void finish();

  /// Any thread: runs the task on the control thread, attached, in order. False when it is retired.
  bool post(Task task) { return control_.post(std::move(task)); }
  /// Any thread: likewise on Python's main thread. It runs programs, so nothing else may wait for it.
  void post_main(Task task) { main_.post(std::move(task)); }
  /// Applies an engine's paths, environment variables and arguments. False with an error set.
  bool prepare_engine(const Gil& gil, const std::string& setup);
  /// A thread state for the calling thread, detached. The thread keeps it for itself.
  PyThreadState* new_thread_state() const;
  /// Attached: whether `own` is the only thread state that is left.
  bool is_alone(const Gil& gil, PyThreadState* own) const;

 private:
  PyInterpreterState* state_ = nullptr;
  PyObject* prepare_ = nullptr;  // attached only

  /// Tasks for one thread.
  class Tasks {
   public:
    /// Detached: until there are no tasks after retire().
    void serve(PyThreadState* own);
    /// False after retire().
    bool post(Task task);
    void retire();

   private:
    std::mutex mutex_;
    std::condition_variable posted_;
    std::deque<Task> tasks_;
    bool retired_ = false;
  };
  Tasks control_, main_;
  std::function<void()> over_;  // control thread only
};

}  // namespace isopy
