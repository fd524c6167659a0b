#include "host_object.h"

#include <csignal>
#include <cstring>

#include "asking.h"
#include "evaluator.h"
#include "fast_codec.h"
#include "first_steps.h"
#include "forking.h"
#include "interpreter.h"
#include "locks.h"
#include "pool.h"
#include "python_function.h"
#include "runtime.h"

namespace isopy {

namespace {

constexpr const char* kCapsule = "isopy.engine";

std::shared_ptr<Engine>* engine_of(PyObject* capsule) {
  return static_cast<std::shared_ptr<Engine>*>(py().PyCapsule_GetPointer(capsule, kCapsule));
}

void free_engine(PyObject* capsule) { delete engine_of(capsule); }

/// Copies any bytes-like object; false with an error set.
bool bytes_of(PyObject* object, std::string& bytes) {
  Py_buffer view;
  if (py().PyObject_GetBuffer(object, &view, 0) != 0) return false;
  bytes.assign(static_cast<const char*>(view.buf), static_cast<std::size_t>(view.len));
  py().PyBuffer_Release(&view);
  return true;
}

/// `read_int` of a small non-negative number; false with an error set.
bool read_number(PyObject* object, unsigned long& number) {
  number = py().PyLong_AsUnsignedLong(object);
  return number != static_cast<unsigned long>(-1) || py().PyErr_Occurred() == nullptr;
}

PyObject* host_send(PyObject* self, PyObject* const* args, Py_ssize_t count) {
  if (count != 2) return wrong_arguments("send(kind, frame)");
  unsigned long kind = 0;
  Message message{0, 0, {}};
  if (!read_number(args[0], kind) || !bytes_of(args[1], message.bytes)) return nullptr;
  message.kind = static_cast<std::uint8_t>(kind);
  // False when the environment is gone: nobody is left who could be told.
  (*engine_of(self))->outbox.push(std::move(message));
  return none();
}

PyObject* host_ask(PyObject* self, PyObject* const* args, Py_ssize_t count) {
  if (count != 1) return wrong_arguments("ask(frame)");
  std::string frame;
  if (!bytes_of(args[0], frame)) return nullptr;
  GilHeld held;
  std::string answer;
  const char* problem = nullptr;
  if (!ask_javascript(held.token(), *engine_of(self), frame, answer, problem)) {
    raise_unanswered(held.token(), problem, (*engine_of(self))->deadlock_ms);
    return nullptr;
  }
  return py().PyBytes_FromStringAndSize(answer.data(), static_cast<Py_ssize_t>(answer.size()));
}

PyObject* host_wake(PyObject* self, PyObject* const*, Py_ssize_t) {
  if (!works_next(**engine_of(self))) request_work(*engine_of(self));
  return none();
}

PyObject* host_tick(PyObject* self, PyObject* const*, Py_ssize_t) {
  note_progress(**engine_of(self));
  return none();
}

PyObject* host_reply(PyObject* self, PyObject* const* args, Py_ssize_t count) {
  if (count != 1) return wrong_arguments("reply(flat)");
  GilHeld held;
  return send_reply(held.token(), **engine_of(self), args[0]) ? none() : nullptr;
}

PyObject* host_first_steps(PyObject* self, PyObject* const* args, Py_ssize_t count) {
  GilHeld held;
  return take_first_steps(held.token(), **engine_of(self), args, count);
}

PyObject* host_announce(PyObject* self, PyObject* const*, Py_ssize_t) {
  (*engine_of(self))->outbox.announce();
  return none();
}

/// `_isopy.handles.<name>(…)`, which raises. Null in any case.
PyObject* refuse_handle(const char* name, PyObject* argument) {
  PyOwned module = PyOwned::steal(py().PyImport_ImportModule("_isopy.handles"));
  PyOwned function = module ? PyOwned::steal(py().PyObject_GetAttrString(module.get(), name)) : PyOwned();
  PyObject* args[] = {argument};
  if (function) PyOwned::steal(py().vectorcall(function.get(), args, 1));
  return nullptr;
}

/// 0 for what is no handle.
HandleId handle_from(PyObject* number) {
  int overflow = 0;
  const long long id =
      type_of(number) == py().PyLong_Type ? py().PyLong_AsLongLongAndOverflow(number, &overflow) : 0;
  return overflow == 0 && id > 0 ? static_cast<HandleId>(id) : 0;
}

PyObject* host_introduce(PyObject* self, PyObject* const* args, Py_ssize_t count) {
  if (count != 1) return wrong_arguments("introduce(object)");
  GilHeld held;
  HandleTable& handles = (*engine_of(self))->handles;
  const HandleId id = handles.introduce(held.token(), args[0]);
  if (id != 0) return py().PyLong_FromUnsignedLongLong(id);
  PyOwned most = PyOwned::steal(py().PyLong_FromUnsignedLongLong(handles.most()));
  return most ? refuse_handle("exhausted", most.get()) : nullptr;
}

PyObject* host_object_of(PyObject* self, PyObject* const* args, Py_ssize_t count) {
  if (count != 1) return wrong_arguments("object_of(handle)");
  GilHeld held;
  PyObject* object = (*engine_of(self))->handles.object_of(held.token(), handle_from(args[0]));
  if (object == nullptr) return refuse_handle("gone", args[0]);
  py().Py_IncRef(object);
  return object;
}

PyObject* host_limit_handles(PyObject* self, PyObject* const* args, Py_ssize_t count) {
  unsigned long most = 0;
  if (count != 1) return wrong_arguments("limit_handles(most)");
  if (!read_number(args[0], most)) return nullptr;
  (*engine_of(self))->handles.limit(most);
  return none();
}

PyObject* host_release(PyObject* self, PyObject* const* args, Py_ssize_t count) {
  if (count != 2) return wrong_arguments("release(handle, count)");
  unsigned long times = 0;
  if (!read_number(args[1], times)) return nullptr;
  GilHeld held;
  (*engine_of(self))->release_handle(held.token(), handle_from(args[0]), times);
  return none();
}

/// A list of (handle, count, object).
PyObject* host_handles(PyObject* self, PyObject* const*, Py_ssize_t) {
  PyOwned list = PyOwned::steal(py().PyList_New(0));
  if (!list) return nullptr;
  const HandleTable& table = (*engine_of(self))->handles;
  for (std::size_t slot = 0; slot < table.entries().size(); slot++) {  // may grow: a collection runs Python
    const HandleTable::Entry entry = table.entries()[slot];
    if (entry.id == 0) continue;
    PyOwned object = PyOwned::share(entry.object);
    PyOwned tuple = PyOwned::steal(py().PyTuple_New(3));
    PyOwned id = PyOwned::steal(py().PyLong_FromUnsignedLongLong(entry.id));
    PyOwned introductions = PyOwned::steal(py().PyLong_FromUnsignedLongLong(entry.count));
    if (!tuple || !id || !introductions) return nullptr;
    py().PyTuple_SetItem(tuple.get(), 0, id.release());
    py().PyTuple_SetItem(tuple.get(), 1, introductions.release());
    py().PyTuple_SetItem(tuple.get(), 2, object.release());
    if (py().PyList_Append(list.get(), tuple.get()) != 0) return nullptr;
  }
  return list.release();
}

PyObject* host_interrupt_thread(PyObject*, PyObject* const* args, Py_ssize_t count) {
  if (count != 2) return wrong_arguments("interrupt_thread(ident, on)");
  unsigned long ident = 0;
  if (!read_number(args[0], ident)) return nullptr;
  // Python's own bool: anything else counts as on.
  PyObject* raised = args[1] == py()._Py_FalseStruct ? nullptr : py().PyExc_KeyboardInterrupt;
  py().PyThreadState_SetAsyncExc(ident, raised);
  return none();
}

PyObject* host_wake_main(PyObject* self, PyObject* const*, Py_ssize_t) {
  const std::shared_ptr<Engine>& engine = *engine_of(self);
  engine->interpreter->post_main([engine](const Gil& gil) {
    if (engine->closed() || !engine->methods.engine) return;
    PyOwned work = PyOwned::steal(py().PyObject_GetAttrString(engine->methods.engine.get(), "work_main"));
    if (!work || !PyOwned::steal(py().vectorcall(work.get(), nullptr, 0))) report_broken_engine(gil, *engine);
  });
  return none();
}

/// `function(number, handler)` without what it does to the system's handler of that signal.
PyObject* host_keeping_signal(PyObject*, PyObject* const* args, Py_ssize_t count) {
  unsigned long number = 0;
  if (count != 3) return wrong_arguments("keeping_signal(number, function, handler)");
  if (!read_number(args[0], number)) return nullptr;
  struct sigaction before;
  const bool known = sigaction(static_cast<int>(number), nullptr, &before) == 0;
  PyObject* operands[] = {args[0], args[2]};
  PyObject* result = py().vectorcall(args[1], operands, 2);
  if (known) sigaction(static_cast<int>(number), &before, nullptr);
  return result;
}

/// Whether the thread was a worker's and is written off now.
PyObject* host_write_off(PyObject* self, PyObject* const* args, Py_ssize_t count) {
  if (count != 1) return wrong_arguments("write_off(ident)");
  unsigned long ident = 0;
  if (!read_number(args[0], ident)) return nullptr;
  // A thread's ident is its pthread_t, in every CPython on POSIX.
  const bool done = (*engine_of(self))->interpreter->pool.write_off((pthread_t)ident);
  PyObject* result = done ? py()._Py_TrueStruct : py()._Py_FalseStruct;
  py().Py_IncRef(result);
  return result;
}

/// The descriptor of a lock type's method made interruptible, or None.
PyObject* host_interruptible(PyObject*, PyObject* const* args, Py_ssize_t count) {
  if (count != 3) return wrong_arguments("interruptible(type, descriptor, reentrant)");
  GilHeld held;
  PyOwned made = interruptible_method(held.token(), args[0], args[1], args[2] == py()._Py_TrueStruct);
  if (made) return made.release();
  return py().PyErr_Occurred() != nullptr ? nullptr : none();
}

/// The dict of a type was written to; what the interpreter remembers of it is old.
PyObject* host_type_modified(PyObject*, PyObject* const* args, Py_ssize_t count) {
  if (count != 1) return wrong_arguments("type_modified(type)");
  py().PyType_Modified(args[0]);
  return none();
}

/// (id, bytes in the span, bytes before the first element) of a writable buffer.
PyObject* host_export(PyObject* self, PyObject* const* args, Py_ssize_t count) {
  unsigned long alignment = 0;
  if (count != 2) return wrong_arguments("export(object, alignment)");
  if (!read_number(args[1], alignment)) return nullptr;
  GilHeld held;
  std::size_t parts[3] = {};
  Engine& engine = **engine_of(self);
  Exports& exports = engine.exports;
  parts[0] = exports.pin(held.token(), engine.interpreter, args[0], alignment);
  if (parts[0] == 0) return nullptr;
  const Export* pinned = exports.find(parts[0]);
  parts[1] = pinned->size;
  parts[2] = pinned->offset;
  PyOwned tuple = PyOwned::steal(py().PyTuple_New(3));
  for (Py_ssize_t i = 0; tuple && i < 3; i++) {
    PyObject* number = py().PyLong_FromUnsignedLongLong(parts[i]);
    if (number == nullptr || py().PyTuple_SetItem(tuple.get(), i, number) != 0) tuple.reset();
  }
  if (!tuple) exports.unpin(held.token(), parts[0]);
  return tuple.release();
}

/// Whether this is the thread that reads what is sent, so that nothing can run in Python before it has.
PyObject* host_on_js_thread(PyObject* self, PyObject* const*, Py_ssize_t count) {
  if (count != 0) return wrong_arguments("on_js_thread()");
  PyObject* truth = pthread_equal((*engine_of(self))->js.thread, pthread_self()) != 0 ? py()._Py_TrueStruct
                                                                                      : py()._Py_FalseStruct;
  py().Py_IncRef(truth);
  return truth;
}

PyObject* host_unexport(PyObject* self, PyObject* const* args, Py_ssize_t count) {
  unsigned long id = 0;
  if (count != 1) return wrong_arguments("unexport(id)");
  if (!read_number(args[0], id)) return nullptr;
  GilHeld held;
  (*engine_of(self))->exports.unpin(held.token(), id);
  return none();
}

/// In a forked child: Python code has come back to a loop that belongs to the parent.
PyObject* host_end_fork(PyObject*, PyObject* const*, Py_ssize_t) { end_forked_child(); }

// Python keeps pointers to these.
PyMethodDef methods[] = {
    fast_method("send", &host_send),
    fast_method("ask", &host_ask),
    fast_method("wake", &host_wake),
    fast_method("tick", &host_tick),
    fast_method("reply", &host_reply),
    fast_method("announce", &host_announce),
    fast_method("interrupt_thread", &host_interrupt_thread),
    fast_method("write_off", &host_write_off),
    fast_method("keeping_signal", &host_keeping_signal),
    fast_method("introduce", &host_introduce),
    fast_method("object_of", &host_object_of),
    fast_method("release", &host_release),
    fast_method("limit_handles", &host_limit_handles),
    fast_method("handles", &host_handles),
    fast_method("interruptible", &host_interruptible),
    fast_method("type_modified", &host_type_modified),
    fast_method("export", &host_export),
    fast_method("unexport", &host_unexport),
    fast_method("on_js_thread", &host_on_js_thread),
    fast_method("end_fork", &host_end_fork),
};

PyMethodDef first_steps_method = fast_method("first_steps", &host_first_steps);
PyMethodDef main_method = fast_method("wake_main", &host_wake_main);

PyOwned attribute(const PyOwned& object, const char* name) {
  return PyOwned::steal(py().PyObject_GetAttrString(object.get(), name));
}

/// `object.name` into `target`; false with an error set.
bool fetch(const PyOwned& object, const char* name, PyOwned& target) {
  target = attribute(object, name);
  return static_cast<bool>(target);
}

bool fill_methods(const Gil& gil, Engine& engine, PyOwned object) {
  EngineMethods m;
  PyOwned events, callbacks;
  const bool complete = fetch(object, "receive", m.receive) && fetch(object, "work", m.work) &&
                        fetch(object, "close", m.close) && fetch(object, "encode", m.encode) &&
                        fetch(object, "encode_error", m.encode_error) && fetch(object, "decode", m.decode) &&
                        fetch(object, "run_sync", m.run_sync) && fetch(object, "flush", m.flush) &&
                        fetch(object, "reference", m.reference) && fetch(object, "discard", m.discard) &&
                        fetch(object, "ruled", m.ruled) && fetch(object, "events", events) &&
                        fetch(events, "waiting", m.printed) && fetch(object, "callbacks", callbacks) &&
                        fetch(callbacks, "dropped", m.dropped);
  if (!complete) return false;
  m.programs = ProgramParts::fetch(gil, object);
  if (!m.programs || !m.framed.fetch(gil, object)) return false;
  PyOwned arrays = PyOwned::steal(py().PyImport_ImportModule("_isopy.arrays"));
  if (!arrays || !fetch(arrays, "SIMPLE", m.viewed)) return false;
  m.engine = std::move(object);
  engine.methods = std::move(m);
  return true;
}

}  // namespace

PyOwned make_host(const Gil&, const std::shared_ptr<Engine>& engine) {
  PyOwned host = PyOwned::steal(py().PyModule_New("isopy_host"));
  if (!host) return {};
  auto* shared = new std::shared_ptr<Engine>(engine);
  PyOwned capsule = PyOwned::steal(py().PyCapsule_New(shared, kCapsule, &free_engine));
  if (!capsule) {
    delete shared;
    return {};
  }
  const bool isolated = engine->interpreter != Interpreter::main();
  auto add = [&](PyMethodDef& definition) {
    PyOwned function = PyOwned::steal(py().PyCFunction_NewEx(&definition, capsule.get(), nullptr));
    return function && py().PyObject_SetAttrString(host.get(), definition.ml_name, function.get()) == 0;
  };
  for (PyMethodDef& definition : methods) {
    // Views would outlive an interpreter that ends; without these two, asking for one is a typed refusal.
    if (isolated && std::strstr(definition.ml_name, "export") != nullptr) continue;
    if (!add(definition)) return {};
  }
  if (can_take_first_steps() && !add(first_steps_method)) return {};
  if (!isolated && !add(main_method)) return {};
  PyOwned patience = PyOwned::steal(py().PyFloat_FromDouble(engine->deadlock_ms / 1000.0));
  if (!patience || py().PyObject_SetAttrString(host.get(), "patience", patience.get()) != 0 ||
      py().PyObject_SetAttrString(host.get(), "engine", capsule.get()) != 0 ||
      py().PyObject_SetAttrString(host.get(), "can_ask", py()._Py_TrueStruct) != 0 ||
      py().PyObject_SetAttrString(host.get(), "threads", py()._Py_TrueStruct) != 0 ||
      (isolated && py().PyObject_SetAttrString(host.get(), "isolated", py()._Py_TrueStruct) != 0) ||
      // Batches come from the facade's writer alone; operand streams may come from anybody with the addon.
      py().PyObject_SetAttrString(host.get(), "trusted_batches", py()._Py_TrueStruct) != 0) {
    return {};
  }
  return host;
}

std::shared_ptr<Engine> engine_of_host(PyObject* host) {
  PyOwned capsule = PyOwned::steal(py().PyObject_GetAttrString(host, "engine"));
  std::shared_ptr<Engine>* engine = capsule ? engine_of(capsule.get()) : nullptr;
  return engine != nullptr ? *engine : nullptr;
}

bool open_engine(const Gil& gil, const std::shared_ptr<Engine>& engine, const std::string& setup,
                 const std::string& options, std::string& hello, std::string& problem) {
  auto open = [&]() -> bool {
    if (!engine->interpreter->prepare_engine(gil, setup)) return false;
    PyOwned module = PyOwned::steal(py().PyImport_ImportModule("_isopy.engine"));
    PyOwned host = module ? make_host(gil, engine) : PyOwned();
    PyOwned type = host ? attribute(module, "Engine") : PyOwned();
    PyOwned given = type ? PyOwned::steal(py().PyBytes_FromStringAndSize(
                               options.data(), static_cast<Py_ssize_t>(options.size())))
                         : PyOwned();
    if (!given) return false;
    PyObject* args[] = {host.get(), given.get()};
    PyOwned object = PyOwned::steal(py().vectorcall(type.get(), args, 2));
    if (!object) return false;
    PyOwned codec = attribute(object, "codec");
    if (!codec || !accelerate_codec(gil, engine, codec)) return false;
    PyOwned say_hello = attribute(object, "hello");
    PyOwned greeting = say_hello ? PyOwned::steal(py().vectorcall(say_hello.get(), nullptr, 0)) : PyOwned();
    return greeting && bytes_of(greeting.get(), hello) && fill_methods(gil, *engine, std::move(object));
  };
  if (open()) return true;
  problem = take_error_text(gil);
  return false;
}

void close_engine(const Gil& gil, Engine& engine) {
  if (!engine.methods.close) return;
  PyOwned close = PyOwned::share(engine.methods.close.get());
  PyOwned result = PyOwned::steal(py().vectorcall(close.get(), nullptr, 0));
  if (!result) report_broken_engine(gil, engine);
}

void end_threads(const Gil& gil, Engine& engine) {
  if (!engine.methods.engine) return;
  PyOwned module = PyOwned::steal(py().PyImport_ImportModule("_isopy.isolated"));
  PyOwned farewell = module ? attribute(module, "farewell") : PyOwned();
  PyObject* args[] = {engine.methods.engine.get()};
  if (!farewell || !PyOwned::steal(py().vectorcall(farewell.get(), args, 1)))
    report_broken_engine(gil, engine);
}

bool receive_frame(const Gil& gil, Engine& engine, int kind, const std::string& frame) {
  PyOwned number = PyOwned::steal(py().PyLong_FromLongLong(kind));
  PyOwned bytes =
      PyOwned::steal(py().PyBytes_FromStringAndSize(frame.data(), static_cast<Py_ssize_t>(frame.size())));
  PyObject* args[] = {number.get(), bytes.get()};
  PyOwned receive = PyOwned::share(engine.methods.receive.get());  // closing may drop it meanwhile
  PyOwned result = number && bytes ? PyOwned::steal(py().vectorcall(receive.get(), args, 2)) : PyOwned();
  if (result) return true;
  report_broken_engine(gil, engine);
  return false;
}

void report_broken_engine(const Gil& gil, Engine& engine) {
  engine.outbox.push({kLost, 0, take_error_text(gil)});
}

}  // namespace isopy
