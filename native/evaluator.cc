#include "evaluator.h"

#include <array>
#include <vector>

#include "calling.h"
#include "forking.h"
#include "host_object.h"
#include "pool.h"
#include "reply_writer.h"
#include "stream_reader.h"
#include "stream_writer.h"

namespace isopy {

namespace {

constexpr Py_ssize_t kMostInstructions = 16;
/// While so many programs wait, JavaScript is woken for more replies at once: each time costs as much as
/// two small programs, and it has other things to do than to wait for the next portion.
constexpr std::int64_t kLongQueue = 1000;
constexpr int kManyOfLong = 256;
/// So many slow programs are handed to Python at once, when they follow each other.
constexpr Py_ssize_t kManySlow = 32;
/// Instructions begin here in a program: (id, context, outputs, instruction, …).
constexpr Py_ssize_t kHead = 3;

enum Operation : std::uint8_t { kImport = 0, kGet = 1, kItem = 2, kCall = 3 };
enum Mode : std::uint8_t { kAuto = 0, kNothing = 4, kModes = 5, kModeBits = 7, kUnawaited = 8 };

/// Memory that a thread keeps from program to program. No Python object stays in it.
struct Scratch {
  StreamReader reader;
  StreamWriter writer;
  ReplyWriter reply;
};
thread_local Scratch scratch;

/// One instruction of a fast program; borrowed from its tuple.
struct Step {
  Operation op;
  long long target;  // unused by import
  PyObject* operand;
  PyObject* keywords;  // of a call; may be null
};

struct Output {
  std::size_t slot;
  std::uint8_t mode;
  bool awaited;
};

/// A fast program, read from its tuple.
class Program {
 public:
  /// Whether the program is fast. Runs no Python code.
  bool read(PyObject* tuple, const ProgramParts& parts);

  PyObject* number = nullptr;
  long long id = 0;
  std::array<Step, kMostInstructions> steps;
  std::size_t step_count = 0;
  std::array<Output, kMostInstructions> outputs;
  std::size_t output_count = 0;

 private:
  bool read_outputs(PyObject* tuple);
  bool read_step(PyObject* instruction);
};

bool Program::read(PyObject* tuple, const ProgramParts& parts) {
  if (!is_exact(tuple, py().PyTuple_Type)) return false;  // it has waited, and goes on
  const Py_ssize_t size = tuple_size(tuple);
  long long context = 0;
  if (size <= kHead || size > kHead + kMostInstructions || !read_int(tuple_item(tuple, 1), context) ||
      context != 0)
    return false;
  number = tuple_item(tuple, 0);
  if (!read_int(number, id) || id <= 0) return false;
  if (py().PyDict_Size(parts.cancelled.get()) > 0 && py().PyDict_Contains(parts.cancelled.get(), number) != 0)
    return false;
  step_count = 0;
  for (Py_ssize_t i = kHead; i < size; i++) {
    if (!read_step(tuple_item(tuple, i))) return false;
  }
  return read_outputs(tuple_item(tuple, 2));
}

bool Program::read_step(PyObject* instruction) {
  if (!is_exact(instruction, py().PyTuple_Type)) return false;
  const Py_ssize_t size = tuple_size(instruction);
  long long op = -1;
  if (size < 2 || !read_int(tuple_item(instruction, 0), op)) return false;
  Step step{static_cast<Operation>(op), 0, tuple_item(instruction, size - 1), nullptr};
  if (op == kImport) {
    if (size != 2 || !is_exact(step.operand, py().PyUnicode_Type)) return false;
  } else {
    if (op < kGet || op > kCall || size < 3 || !read_int(tuple_item(instruction, 1), step.target))
      return false;
    if (step.target >= static_cast<long long>(step_count))
      return false;  // no such slot: an error of Python's
    if (op == kCall) {
      step.operand = tuple_item(instruction, 2);
      if (size > 4 || !is_exact(step.operand, py().PyTuple_Type)) return false;
      if (size == 4) {
        step.keywords = tuple_item(instruction, 3);
        if (!is_exact(step.keywords, py().PyDict_Type)) return false;
        PyObject *key = nullptr, *value = nullptr;
        Py_ssize_t position = 0;
        while (py().PyDict_Next(step.keywords, &position, &key, &value) != 0) {
          if (!is_exact(key, py().PyUnicode_Type)) return false;
        }
      }
    } else if (size != 3 || (op == kGet && !is_exact(step.operand, py().PyUnicode_Type))) {
      return false;
    }
  }
  steps[step_count++] = step;
  return true;
}

bool Program::read_outputs(PyObject* tuple) {
  if (!is_exact(tuple, py().PyTuple_Type)) return false;
  const Py_ssize_t size = tuple_size(tuple);
  if (size % 2 != 0 || size > 2 * kMostInstructions) return false;
  output_count = 0;
  for (Py_ssize_t i = 0; i < size; i += 2) {
    long long slot = 0, mode = 0;
    if (!read_int(tuple_item(tuple, i), slot) || !read_int(tuple_item(tuple, i + 1), mode)) return false;
    if (slot < 0 || slot >= static_cast<long long>(step_count) || mode < 0 ||
        mode > (kUnawaited | kModeBits) || (mode & kModeBits) >= kModes)
      return false;
    outputs[output_count++] = {static_cast<std::size_t>(slot), static_cast<std::uint8_t>(mode & kModeBits),
                               (mode & kUnawaited) == 0};
  }
  return true;
}

/// The loop of one thread over one engine's queue.
class Evaluator {
 public:
  Evaluator(const Gil& gil, Engine& engine, std::shared_ptr<const ProgramParts> parts)
      : gil_(gil), engine_(engine), kept_(std::move(parts)), parts_(*kept_) {}

  void work();

 private:
  Py_ssize_t slow_ahead();
  void run_slow(Py_ssize_t count);
  void run_fast(const PyOwned& tuple);
  bool run_steps();
  PyOwned run_step(const Step& step);
  PyOwned target_of(const Step& step);
  bool write_outputs();
  bool give_to_loop(const PyOwned& tuple);
  bool find_loop();
  void hand_over(const PyOwned& tuple);
  void abort(const PyOwned& tuple);
  void enter(PyObject* number) { set(parts_.program_name, number); }
  bool leave(PyObject* number);
  void set(const PyOwned& name, PyObject* value) {
    if (py().PyObject_SetAttr(lane_.get(), name.get(), value) != 0) broken();
  }
  void flush() {
    if (!call(parts_.flush, {})) broken();
  }
  int many() const {
    return engine_.queued.load(std::memory_order_relaxed) > kLongQueue ? kManyOfLong : kManyReplies;
  }
  bool has_text() const { return py().PyList_Size(parts_.printed.get()) > 0; }
  void broken() { report_broken_engine(gil_, engine_); }

  const Gil& gil_;
  Engine& engine_;
  const std::shared_ptr<const ProgramParts> kept_;  // closing may drop it meanwhile
  const ProgramParts& parts_;
  PyOwned lane_;
  Program program_;
  std::array<PyOwned, kMostInstructions> slots_;
  std::size_t filled_ = 0;
  /// The loop of the default context that was seen last, its driver, and how its queue takes an item.
  PyOwned home_, driver_, append_;
};

void Evaluator::work() {
  lane_ = call(parts_.lane, {});
  if (!lane_) return broken();
  set(parts_.engine_name, parts_.engine.get());
  set(parts_.depth_name, parts_.one.get());
  for (Py_ssize_t size; (size = py().PyObject_Size(parts_.queue.get())) > 0;) {
    engine_.queued.store(size - 1, std::memory_order_relaxed);
    if (const Py_ssize_t count = slow_ahead()) {
      run_slow(count);
      if (in_forked_child()) end_forked_child();
      continue;
    }
    // The head has just been seen, and no Python code has run since.
    PyOwned tuple = call(parts_.popleft, {});
    if (!tuple) {
      broken();
      break;
    }
    note_progress(engine_);
    run_fast(tuple);
    if (in_forked_child()) end_forked_child();
  }
  set(parts_.depth_name, parts_.zero.get());
  set(parts_.engine_name, py()._Py_NoneStruct);
  if (has_text() || py().PyObject_Size(parts_.dropped.get()) > 0) flush();
  engine_.outbox.announce();
}

/// How many programs at the head of the queue are not fast; when none, `program_` is the head.
Py_ssize_t Evaluator::slow_ahead() {
  Py_ssize_t count = 0;
  while (count < kManySlow) {
    PyOwned item = PyOwned::steal(py().PySequence_GetItem(parts_.queue.get(), count));
    if (!item) {
      py().PyErr_Clear();
      break;
    }
    if (program_.read(item.get(), parts_)) break;
    count++;
  }
  return count;
}

void Evaluator::run_slow(Py_ssize_t count) {
  PyOwned number = PyOwned::steal(py().PyLong_FromLongLong(count));
  if (number && call(parts_.work_some, {lane_.get(), number.get()})) return;
  // An interrupt that came between two programs; `_isopy` settles those that it had begun.
  PyOwned late = take_exception(gil_);
  enter(parts_.zero.get());
  if (!late || type_of(late.get()) != py().PyExc_KeyboardInterrupt) {
    py().PyErr_SetObject(type_of(late.get()), late.get());
    broken();
  }
}

void Evaluator::run_fast(const PyOwned& tuple) {
  enter(program_.number);
  if (!run_steps()) return hand_over(tuple);
  if (give_to_loop(tuple)) return;
  if (!write_outputs()) return hand_over(tuple);
  while (filled_ > 0) slots_[--filled_].reset();
  const bool wanted = leave(program_.number);
  if (has_text()) flush();
  if (wanted) engine_.outbox.reply(scratch.reply.items(), many());
}

/// False with an error set when an instruction fails.
bool Evaluator::run_steps() {
  for (std::size_t i = 0; i < program_.step_count; i++) {
    slots_[filled_] = run_step(program_.steps[i]);
    if (!slots_[filled_]) return false;
    filled_++;
  }
  return true;
}

PyOwned Evaluator::run_step(const Step& step) {
  if (step.op == kImport) return call(parts_.import_module, {step.operand});
  PyOwned held;
  PyObject* target = nullptr;
  if (step.target >= 0) {
    target = slots_[static_cast<std::size_t>(step.target)].get();
  } else {
    held = target_of(step);
    if (!held) return {};
    target = held.get();
  }
  if (step.op == kGet) return PyOwned::steal(py().PyObject_GetAttr(target, step.operand));
  if (step.op == kItem) return PyOwned::steal(py().PyObject_GetItem(target, step.operand));
  return engine_.methods.framed.call(target, step.operand, step.keywords);
}

/// The object of a handle: as `HandleTable.get`, which says what is wrong when it is gone.
PyOwned Evaluator::target_of(const Step& step) {
  const long long id = -step.target;
  if (PyObject* object = engine_.handles.object_of(gil_, static_cast<HandleId>(id)))
    return PyOwned::share(object);
  PyOwned number = PyOwned::steal(py().PyLong_FromLongLong(id));
  return number ? call(parts_.handle, {number.get()}) : PyOwned();
}

/// False without an error when an output is not for us.
bool Evaluator::write_outputs() {
  ReplyWriter& reply = scratch.reply;
  reply.begin(program_.id, static_cast<Py_ssize_t>(program_.output_count));
  for (std::size_t i = 0; i < program_.output_count; i++) {
    const Output& output = program_.outputs[i];
    PyObject* value = slots_[output.slot].get();
    if (output.mode == kNothing) {
      value = py()._Py_NoneStruct;
    } else if (output.mode != kAuto) {
      return false;
    }
    if (reply.scalar(gil_, value, engine_.limits.bytes)) continue;
    if (!scratch.writer.write(gil_, value, engine_.limits)) return false;
    reply.stream(1, scratch.writer.data(), scratch.writer.size());
  }
  return true;
}

/// A coroutine that is the only output goes to the loop's queue, as in `Loops._hand_over`; false when it is
/// none, or the loop is yet to be started.
bool Evaluator::give_to_loop(const PyOwned& tuple) {
  const Output& output = program_.outputs[0];
  if (program_.output_count != 1 || output.mode != kAuto || !output.awaited ||
      !is_exact(slots_[output.slot].get(), py().PyCoro_Type))
    return false;
  PyOwned variables = find_loop() ? PyOwned::steal(py().PyContext_CopyCurrent()) : PyOwned();
  PyOwned item = variables ? PyOwned::steal(py().PyTuple_New(5)) : PyOwned();
  if (!item) {
    py().PyErr_Clear();
    return false;
  }
  fill_tuple(item.get(), 0, PyOwned::share(slots_[output.slot].get()).release());
  fill_tuple(item.get(), 1, PyOwned::share(program_.number).release());
  fill_tuple(item.get(), 2, variables.release());
  fill_tuple(item.get(), 3, PyOwned::share(py()._Py_NoneStruct).release());
  fill_tuple(item.get(), 4, PyOwned::share(parts_.settle.get()).release());
  while (filled_ > 0) slots_[--filled_].reset();
  enter(parts_.zero.get());
  leave_program(gil_, engine_, parts_, lane_.get(), program_.number);  // given up: its value is dropped
  PyOwned called = call(append_, {item.get()}) ? attribute(driver_, parts_.called_name) : PyOwned();
  if (!called || (called.get() != py()._Py_TrueStruct &&
                  !PyOwned::steal(py().PyObject_VectorcallMethod(
                      parts_.call_name.get(), std::array<PyObject*, 1>{driver_.get()}.data(), 1, nullptr))))
    abort(tuple);
  return true;
}

/// Whether the default context has a loop that takes items. False with an error set or without.
bool Evaluator::find_loop() {
  PyOwned closed = attribute(parts_.engine, parts_.closed_name);
  PyOwned home = attribute(parts_.context, parts_.loop_name);
  if (!closed || !home || closed.get() != py()._Py_FalseStruct || home.get() == py()._Py_NoneStruct)
    return false;
  if (home.get() == home_.get()) return true;
  PyOwned driver = attribute(home, parts_.driver_name);
  PyOwned queue = driver ? attribute(driver, parts_.queue_name) : PyOwned();
  PyOwned append = queue ? attribute(queue, parts_.append_name) : PyOwned();
  if (!append) return false;
  home_ = std::move(home);
  driver_ = std::move(driver);
  append_ = std::move(append);
  return true;
}

/// `_isopy` ends the program: an instruction failed, or a value is none of the common ones.
void Evaluator::hand_over(const PyOwned& tuple) {
  PyOwned error;
  if (py().PyErr_Occurred() != nullptr) error = take_exception(gil_);
  PyOwned slots = PyOwned::steal(py().PyList_New(static_cast<Py_ssize_t>(filled_)));
  for (std::size_t i = 0; slots && i < filled_; i++)
    py().PyList_SetItem(slots.get(), static_cast<Py_ssize_t>(i), slots_[i].release());
  while (filled_ > 0) slots_[--filled_].reset();
  PyOwned number = PyOwned::share(program_.number);
  if (slots && call(parts_.take_over,
                    {lane_.get(), tuple.get(), slots.get(), error ? error.get() : py()._Py_NoneStruct})) {
    return;
  }
  // An interrupt before the first bytecode, or no memory: it settles either way.
  error = take_exception(gil_);
  leave(number.get());
  if (!error || !call(parts_.abort, {tuple.get(), error.get()})) broken();
}

/// Settles a program that could not be given to anybody, with the pending error.
void Evaluator::abort(const PyOwned& tuple) {
  PyOwned error = take_exception(gil_);
  if (!error || !call(parts_.abort, {tuple.get(), error.get()})) broken();
}

/// The thread has left the program: what was printed in it is its own. False when it was settled without us.
bool Evaluator::leave(PyObject* number) {
  enter(parts_.zero.get());
  if (!leave_program(gil_, engine_, parts_, lane_.get(), number)) return true;
  if (!call(parts_.forget_late, {number})) broken();
  return false;
}

PyOwned attribute(const PyOwned& object, const char* name) {
  return object ? PyOwned::steal(py().PyObject_GetAttrString(object.get(), name)) : PyOwned();
}

}  // namespace

std::shared_ptr<const ProgramParts> ProgramParts::fetch(const Gil&, const PyOwned& engine) {
  auto parts = std::make_shared<ProgramParts>();
  PyOwned scheduler = attribute(engine, "scheduler"), interrupts = attribute(engine, "interrupts"),
          handles = attribute(engine, "handles"), events = attribute(engine, "events"),
          callbacks = attribute(engine, "callbacks"), codec = attribute(engine, "codec"),
          contexts = attribute(engine, "contexts"), by_id = attribute(contexts, "by_id"),
          lanes = PyOwned::steal(py().PyImport_ImportModule("_isopy.lanes")),
          weakrefs = PyOwned::steal(py().PyImport_ImportModule("_weakref")),
          importing = PyOwned::steal(py().PyImport_ImportModule("importlib"));
  bool complete = true;
  auto fetch = [&complete](PyOwned& target, const PyOwned& object, const char* name) {
    if (complete) target = attribute(object, name);
    complete = complete && target;
  };
  auto keep = [&complete](PyOwned& target, PyObject* made) {
    target = PyOwned::steal(made);
    complete = complete && target;
  };
  fetch(parts->flush, engine, "flush");
  fetch(parts->stream, codec, "stream");
  fetch(parts->queue, scheduler, "queue");
  fetch(parts->popleft, parts->queue, "popleft");
  fetch(parts->extend, parts->queue, "extend");
  fetch(parts->admit, scheduler, "admit");
  fetch(parts->work_some, scheduler, "work_some");
  fetch(parts->take_over, scheduler, "take_over");
  fetch(parts->abort, scheduler, "abort");
  fetch(parts->pending, interrupts, "pending");
  fetch(parts->cancelled, interrupts, "cancelled");
  fetch(parts->leave, interrupts, "leave");
  fetch(parts->forget_late, interrupts, "forget_late");
  fetch(parts->handle, handles, "get");
  fetch(parts->printed, events, "waiting");
  fetch(parts->dropped, callbacks, "dropped");
  fetch(parts->lane, lanes, "lane");
  fetch(parts->import_module, importing, "import_module");
  fetch(parts->task_variable, lanes, "TASK");
  fetch(parts->weakref_count, weakrefs, "getweakrefcount");
  if (!complete || !by_id) return nullptr;
  keep(parts->zero, py().PyLong_FromLongLong(0));
  keep(parts->context, py().PyObject_GetItem(by_id.get(), parts->zero.get()));
  fetch(parts->settle, parts->context, "settle");
  parts->engine = PyOwned::share(engine.get());
  auto name = [&keep](PyOwned& target, const char* text) {
    keep(target, py().PyUnicode_InternFromString(text));
  };
  name(parts->engine_name, "engine");
  name(parts->program_name, "program");
  name(parts->depth_name, "depth");
  name(parts->closed_name, "closed");
  name(parts->loop_name, "loop");
  name(parts->driver_name, "driver");
  name(parts->queue_name, "queue");
  name(parts->append_name, "append");
  name(parts->popleft_name, "popleft");
  name(parts->called_name, "called");
  name(parts->call_name, "call");
  name(parts->stepping_name, "stepping");
  name(parts->callbacks_name, "_callbacks");
  name(parts->must_cancel_name, "_must_cancel");
  keep(parts->one, py().PyLong_FromLongLong(1));
  return complete ? parts : nullptr;
}

bool leave_program(const Gil& gil, Engine& engine, const ProgramParts& parts, PyObject* lane,
                   PyObject* number) {
  if (py().PySet_Size(parts.pending.get()) <= 0) return false;
  PyOwned given_up = call(parts.leave, {lane, number});
  if (!given_up) {
    // It struck before the first bytecode of that.
    PyOwned late = take_exception(gil);
    given_up = call(parts.leave, {lane, number});
  }
  if (!given_up) report_broken_engine(gil, engine);
  return given_up.get() == py()._Py_TrueStruct;
}

bool queue_batch(const Gil& gil, Engine& engine, const std::string& frame) {
  const std::shared_ptr<const ProgramParts> parts = engine.methods.programs;
  PyOwned programs = scratch.reader.read_batch(gil, frame, engine.limits);
  if (!programs) return false;
  PyOwned closed = PyOwned::steal(py().PyObject_GetAttr(parts->engine.get(), parts->closed_name.get()));
  bool common = closed.get() == py()._Py_FalseStruct;
  const Py_ssize_t count = py().PyList_Size(programs.get());
  for (Py_ssize_t i = 0; common && i < count; i++) {
    PyObject* program = py().PyList_GetItem(programs.get(), i);
    long long id = 0, context = 0;
    common = is_exact(program, py().PyTuple_Type) && tuple_size(program) >= kHead &&
             read_int(tuple_item(program, 0), id) && read_int(tuple_item(program, 1), context) &&
             context == 0;
  }
  PyOwned queued;
  if (common) {
    queued = call(parts->extend, {programs.get()});
  } else {
    PyOwned bytes =
        PyOwned::steal(py().PyBytes_FromStringAndSize(frame.data(), static_cast<Py_ssize_t>(frame.size())));
    if (bytes) queued = call(parts->admit, {bytes.get(), programs.get()});
  }
  if (!queued) report_broken_engine(gil, engine);
  return true;
}

void run_queued(const Gil& gil, Engine& engine) {
  if (engine.methods.programs) Evaluator(gil, engine, engine.methods.programs).work();
}

bool send_reply(const Gil& gil, Engine& engine, PyObject* flat) {
  const std::shared_ptr<const ProgramParts> parts = engine.methods.programs;
  if (!parts) return true;  // closed: nobody waits for replies
  if (py().PyList_Size(parts->printed.get()) > 0 && !call(parts->flush, {})) return false;
  const Py_ssize_t size = is_exact(flat, py().PyTuple_Type) ? tuple_size(flat) : 0;
  long long id = 0;
  if (size < 2 || size % 2 != 0 || !read_int(tuple_item(flat, 0), id)) {
    py().PyErr_SetString(py().PyExc_TypeError, "reply((program, count, kind, payload, …))");
    return false;
  }
  ReplyWriter reply;
  reply.begin(id, (size - 2) / 2);
  for (Py_ssize_t i = 2; i < size; i += 2) {
    long long kind = 0;
    PyObject* payload = tuple_item(flat, i + 1);
    if (!read_int(tuple_item(flat, i), kind)) return false;
    if (kind == 0 && reply.scalar(gil, payload, SIZE_MAX)) continue;
    // Kind 0 here: an int beyond 64 bits or a text with lone surrogates.
    PyOwned stream = kind == 0 ? call(parts->stream, {payload}) : PyOwned::share(payload);
    char* data = nullptr;
    Py_ssize_t length = 0;
    if (!stream || py().PyBytes_AsStringAndSize(stream.get(), &data, &length) != 0) return false;
    reply.stream(kind == 0 ? 1 : static_cast<int>(kind), data, static_cast<std::size_t>(length));
  }
  engine.outbox.reply(reply.items(), kManyReplies);
  return true;
}

}  // namespace isopy
