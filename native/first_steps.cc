#include "first_steps.h"

#include "calling.h"
#include "evaluator.h"
#include "host_object.h"
#include "reply_writer.h"
#include "stream_writer.h"

namespace isopy {

namespace {

/// As in `_isopy.driving`.
enum State : long long { kYielded = 0, kReturned = 1, kRaised = 2 };
/// The items of its queue: (awaitable, program, variables, done, settle).
enum Member : Py_ssize_t { kAwaitable = 0, kProgram = 1, kVariables = 2, kSettle = 4, kMembers = 5 };

/// Memory that a loop's thread keeps. No Python object stays in it.
struct Scratch {
  StreamWriter writer;
  ReplyWriter reply;
};
thread_local Scratch scratch;

/// What a coroutine can do to the task it runs in that the next one in it would notice.
class TaskMarks {
 public:
  TaskMarks(const ProgramParts& parts, PyObject* task)
      : parts_(parts), task_(task), references_(references()), watchers_(watchers()) {}
  bool changed() const {
    return references() != references_ || has(parts_.callbacks_name) || has(parts_.must_cancel_name) ||
           watchers() != watchers_;
  }

 private:
  std::uint32_t references() const { return *reinterpret_cast<std::uint32_t*>(task_); }
  long long watchers() const {
    PyOwned number = call(parts_.weakref_count, {task_});
    long long count = -1;
    if (!number || !read_int(number.get(), count)) py().PyErr_Clear();
    return count;
  }
  bool has(const PyOwned& name) const {
    PyOwned value = PyOwned::steal(py().PyObject_GetAttr(task_, name.get()));
    if (!value) py().PyErr_Clear();  // a task of somebody else's making
    return value && py().PyObject_IsTrue(value.get()) != 0;
  }

  const ProgramParts& parts_;
  PyObject* const task_;
  const std::uint32_t references_;
  const long long watchers_;
};

class FirstSteps {
 public:
  FirstSteps(const Gil& gil, Engine& engine, PyObject* driver, PyObject* lane)
      : gil_(gil),
        engine_(engine),
        kept_(engine.methods.programs),
        parts_(*kept_),
        driver_(driver),
        lane_(lane) {}

  PyObject* take(PyObject* task, long long most);

 private:
  PyOwned next(const PyOwned& queue);
  void step(PyObject* coroutine, PyObject* variables);
  bool reply();
  bool set(PyObject* object, const PyOwned& name, PyObject* value) {
    return py().PyObject_SetAttr(object, name.get(), value) == 0;
  }

  const Gil& gil_;
  Engine& engine_;
  const std::shared_ptr<const ProgramParts> kept_;  // closing may drop it meanwhile
  const ProgramParts& parts_;
  PyObject* const driver_;
  PyObject* const lane_;
  PyOwned outer_;  // the program that the lane named before
  PyObject* number_ = nullptr;
  long long id_ = 0;
  State state_ = kYielded;
  PyOwned value_;
};

PyObject* FirstSteps::take(PyObject* task, long long most) {
  PyOwned queue = PyOwned::steal(py().PyObject_GetAttr(driver_, parts_.queue_name.get()));
  PyOwned popleft = queue ? attribute(queue, parts_.popleft_name) : PyOwned();
  outer_ = PyOwned::steal(py().PyObject_GetAttr(lane_, parts_.program_name.get()));
  if (!popleft || !outer_) return nullptr;
  const TaskMarks marks(parts_, task);
  PyOwned item;
  long long taken = 0;
  while (taken < most) {
    item = next(queue);
    if (!item) break;
    // From here on `Driver.has` finds it there.
    if (!set(driver_, parts_.stepping_name, number_) || !call(popleft, {})) return nullptr;
    taken++;
    step(tuple_item(item.get(), kAwaitable), tuple_item(item.get(), kVariables));
    const bool given_up = leave_program(gil_, engine_, parts_, lane_, number_);
    if (state_ != kReturned) break;
    if (given_up) {
      if (!call(parts_.forget_late, {number_})) report_broken_engine(gil_, engine_);
    } else if (!reply()) {
      break;
    }
    item.reset();
    value_.reset();
    if (marks.changed()) break;
  }
  PyOwned result = PyOwned::steal(py().PyTuple_New(4));
  PyOwned count = PyOwned::steal(py().PyLong_FromLongLong(taken));
  PyOwned state = PyOwned::steal(py().PyLong_FromLongLong(state_));
  if (!result || !count || !state) return nullptr;
  if (!item) item = PyOwned::share(py()._Py_NoneStruct);
  if (!value_) value_ = PyOwned::share(py()._Py_NoneStruct);
  fill_tuple(result.get(), 0, count.release());
  fill_tuple(result.get(), 1, item.release());
  fill_tuple(result.get(), 2, state.release());
  fill_tuple(result.get(), 3, value_.release());
  return result.release();
}

/// The head of the queue when it is common. Runs no Python code.
PyOwned FirstSteps::next(const PyOwned& queue) {
  PyOwned item = PyOwned::steal(py().PySequence_GetItem(queue.get(), 0));
  if (!item) {
    py().PyErr_Clear();
    return {};
  }
  if (!is_exact(item.get(), py().PyTuple_Type) || tuple_size(item.get()) != kMembers ||
      tuple_item(item.get(), kSettle) != parts_.settle.get() ||
      !is_exact(tuple_item(item.get(), kAwaitable), py().PyCoro_Type))
    return {};
  number_ = tuple_item(item.get(), kProgram);
  return read_int(number_, id_) && id_ > 0 ? std::move(item) : PyOwned();
}

/// One step in its context. The lane names the program during it, so that an interrupt hits it or nothing.
void FirstSteps::step(PyObject* coroutine, PyObject* variables) {
  int outcome = -1;
  PyObject* value = nullptr;
  if (py().PyContext_Enter(variables) == 0) {
    PyOwned origin = PyOwned::steal(py().PyTuple_New(2));
    PyOwned token;
    if (origin) {
      fill_tuple(origin.get(), 0, PyOwned::share(parts_.engine.get()).release());
      fill_tuple(origin.get(), 1, PyOwned::share(number_).release());
      token = PyOwned::steal(py().PyContextVar_Set(parts_.task_variable.get(), origin.get()));
    }
    if (token && set(lane_, parts_.program_name, number_))
      outcome = py().PyIter_Send(coroutine, py()._Py_NoneStruct, &value);
    py().PyContext_Exit(variables);
  }
  value_ = outcome < 0 ? take_exception(gil_) : PyOwned::steal(value);
  state_ = outcome < 0 ? kRaised : outcome == 0 ? kReturned : kYielded;
  if (!set(lane_, parts_.program_name, outer_.get())) report_broken_engine(gil_, engine_);
}

/// Sends the value; false when that is for Python to do.
bool FirstSteps::reply() {
  ReplyWriter& reply = scratch.reply;
  reply.begin(id_, 1);
  if (!reply.scalar(gil_, value_.get(), engine_.limits.bytes)) {
    if (!scratch.writer.write(gil_, value_.get(), engine_.limits)) return false;
    reply.stream(1, scratch.writer.data(), scratch.writer.size());
  }
  if (py().PyList_Size(parts_.printed.get()) > 0 && !call(parts_.flush, {}))
    report_broken_engine(gil_, engine_);
  engine_.outbox.reply(reply.items(), kManyReplies);
  return true;
}

}  // namespace

bool can_take_first_steps() { return py().plain_layout && py().PyIter_Send != nullptr; }

PyObject* take_first_steps(const Gil& gil, Engine& engine, PyObject* const* args, Py_ssize_t count) {
  long long most = 0;
  if (count != 4 || !read_int(args[3], most)) {
    py().PyErr_SetString(py().PyExc_TypeError, "first_steps(driver, lane, task, most)");
    return nullptr;
  }
  if (engine.methods.programs) return FirstSteps(gil, engine, args[0], args[1]).take(args[2], most);
  py().PyErr_SetString(py().PyExc_RuntimeError, "The engine is closed.");
  return nullptr;
}

}  // namespace isopy
