#include "sync_calls.h"

#include <array>
#include <cstring>
#include <vector>

#include "environment.h"
#include "forking.h"
#include "host_object.h"
#include "runtime.h"
#include "scalars.h"
#include "view_stream.h"

namespace isopy {

namespace {

constexpr std::size_t kFewArguments = 8;
/// PROTOCOL.md, section 3.
constexpr int kViewMode = 5;

/// JavaScript need not hear of a callback that Python dropped at once, but must in the end.
constexpr Py_ssize_t kManyDropped = 64;

/// What the JS side reads from the state array.
enum Outcome : std::int32_t { kScalar = 0, kStream = 1, kError = 2, kFlat = 3, kFlatMoved = 4 };

/// One sync call: checks that the engine can take it, counts the JS thread as blocked, attaches.
class SyncScope {
 public:
  explicit SyncScope(EngineContext& context)
      : context_(context), gil_(enter(context.engine->js, context.attachment->state)) {
    context.engine->interpreter->dropped.drain(gil_.token());
    PyObject* engine = context.engine->methods.engine.get();
    PyObject* named = context.attachment->lane_engine;
    if (engine == nullptr || named == engine) return;
    if (named != nullptr) outer_ = PyOwned::share(named);
    name_engine(*context.attachment, engine);
  }
  ~SyncScope() {
    if (in_forked_child()) end_forked_child();
    send_waiting();
    // A callback of one engine called another: the rest of the outer call is the first one's again.
    if (outer_) name_engine(*context_.attachment, outer_.get());
    context_.engine->js.depth.fetch_sub(1, std::memory_order_release);
    context_.state[kWaiting] = context_.engine->outbox.waiting() ? 1 : 0;
  }
  SyncScope(const SyncScope&) = delete;
  SyncScope& operator=(const SyncScope&) = delete;
  const Gil& token() const { return gil_.token(); }

 private:
  /// What the call printed is delivered before its caller continues; dropped callbacks go in batches.
  void send_waiting() {
    EngineMethods& methods = context_.engine->methods;
    if (!methods.engine) return;
    if (py().PyList_Size(methods.printed.get()) == 0 &&
        py().PyObject_Size(methods.dropped.get()) < kManyDropped)
      return;
    PyOwned flush = PyOwned::share(methods.flush.get());
    if (!PyOwned::steal(py().vectorcall(flush.get(), nullptr, 0)))
      report_broken_engine(gil_.token(), *context_.engine);
  }
  static PyThreadState* enter(JsThread& js, PyThreadState* state) {
    js.epoch.fetch_add(1, std::memory_order_relaxed);
    js.depth.fetch_add(1, std::memory_order_acquire);
    return state;
  }
  static void name_engine(Attachment& attachment, PyObject* engine) {
    if (!attachment.lane) {
      PyOwned module = PyOwned::steal(py().PyImport_ImportModule("_isopy.lanes"));
      PyOwned lane = module ? PyOwned::steal(py().PyObject_GetAttrString(module.get(), "lane")) : PyOwned();
      if (lane) attachment.lane = PyOwned::steal(py().vectorcall(lane.get(), nullptr, 0));
      if (attachment.lane)
        py().PyObject_SetAttrString(attachment.lane.get(), "javascript", py()._Py_TrueStruct);
    }
    if (attachment.lane && py().PyObject_SetAttrString(attachment.lane.get(), "engine", engine) == 0) {
      attachment.lane_engine = engine;
    } else {
      py().PyErr_Clear();  // out of memory: output of this call goes to another engine
    }
  }
  EngineContext& context_;
  GilAcquire gil_;
  PyOwned outer_;  // dropped before the GIL is let go
};

/// The context of a sync call, with its attachment, or null with an exception pending.
EngineContext* context_of(napi_env env, void* data) {
  auto* context = static_cast<EngineContext*>(data);
  if (context->engine->closed() || !context->engine->ready()) {
    napi_throw_error(env, "ERR_CLOSED", "The engine is closed.");
    return nullptr;
  }
  if (context->engine->interpreter != Interpreter::main()) {
    // Its thread state would have to be dropped on this thread before the interpreter ends.
    napi_throw_error(env, "ERR_UNSUPPORTED", "An isolated interpreter takes no synchronous calls.");
    return nullptr;
  }
  attachment_of(*context);
  return context;
}

/// Hands bytes to JavaScript: through the scratch memory when they fit (the result is undefined then).
napi_value deliver(napi_env env, EngineContext& context, Outcome outcome, const char* data,
                   std::size_t length) {
  context.state[kOutcome] = outcome;
  if (length > kScratchBytes) return new_bytes(env, data, length);
  std::memcpy(context.scratch, data, length);
  context.state[kLength] = static_cast<std::int32_t>(length);
  return nullptr;
}

/// `(kind, payload)` of the Python engine's encode functions; kind 0 is a scalar.
napi_value deliver_pair(const Gil& gil, napi_env env, EngineContext& context, PyObject* pair) {
  PyObject* kind = py().PyTuple_GetItem(pair, 0);
  PyObject* payload = kind != nullptr ? py().PyTuple_GetItem(pair, 1) : nullptr;
  if (payload == nullptr) return nullptr;
  int overflow = 0;
  const auto outcome = static_cast<Outcome>(py().PyLong_AsLongLongAndOverflow(kind, &overflow));
  if (outcome == kScalar) {
    napi_value result = nullptr;
    if (scalar_to_javascript(gil, env, payload, result) == Conversion::kDone) {
      context.state[kOutcome] = kScalar;
      return result;
    }
  }
  char* data = nullptr;
  Py_ssize_t length = 0;
  if (py().PyBytes_AsStringAndSize(payload, &data, &length) != 0) return nullptr;
  if (outcome == kScalar) {  // bytes count as a scalar on the wire, but not here
    context.state[kOutcome] = kScalar;
    return new_bytes(env, data, static_cast<std::size_t>(length));
  }
  return deliver(env, context, outcome, data, static_cast<std::size_t>(length));
}

/// A callback closed the engine during the call: nobody is left who could encode what it gave.
napi_value closed_meanwhile(napi_env env) {
  py().PyErr_Clear();
  napi_throw_error(env, "ERR_CLOSED", "The engine was closed during this call.");
  return nullptr;
}

/// The pending Python error, through `engine.encode_error(exception)`.
napi_value deliver_error(const Gil& gil, napi_env env, EngineContext& context) {
  bool pending = false;  // JavaScript's own exception (a string too long for V8) goes first
  if (napi_is_exception_pending(env, &pending) == napi_ok && pending) {
    py().PyErr_Clear();
    return nullptr;
  }
  PyObject *type = nullptr, *value = nullptr, *traceback = nullptr;
  py().PyErr_Fetch(&type, &value, &traceback);
  if (type == nullptr) {
    napi_throw_error(env, "ERR_PROTOCOL", "The engine answered without a result and without an error.");
    return nullptr;
  }
  py().PyErr_NormalizeException(&type, &value, &traceback);
  if (traceback != nullptr && value != nullptr) py().PyException_SetTraceback(value, traceback);
  PyOwned owned_type = PyOwned::steal(type), exception = PyOwned::steal(value),
          owned_traceback = PyOwned::steal(traceback);
  if (!context.engine->methods.encode_error) return closed_meanwhile(env);
  PyOwned encode_error = PyOwned::share(context.engine->methods.encode_error.get());
  PyObject* args[] = {exception.get()};
  PyOwned encoded = PyOwned::steal(py().vectorcall(encode_error.get(), args, 1));
  char* data = nullptr;
  Py_ssize_t length = 0;
  if (encoded && py().PyBytes_AsStringAndSize(encoded.get(), &data, &length) == 0) {
    return deliver(env, context, kError, data, static_cast<std::size_t>(length));
  }
  napi_throw_error(env, "ERR_PROTOCOL", take_error_text(gil).c_str());
  return nullptr;
}

/// Plain data as flat slots; null when the value is not for that, or a JS exception is pending.
napi_value deliver_flat(const Gil& gil, napi_env env, EngineContext& context, PyObject* value) {
  FlatWriter& writer = context.flat_writer;
  std::int32_t* state = context.state;
  if (state[kStreams] != 0 || !py().plain_layout) return nullptr;
  if (state[kForget] != 0) writer.shapes().clear();
  state[kForget] = 0;
  if (!writer.write(gil, env, value, context.engine->limits)) return nullptr;
  napi_value beside = writer.beside(gil, env);
  if (beside == nullptr) return nullptr;
  state[kFast]++;
  state[kOutcome] = kFlat;
  napi_value moved = writer.memory().news(env);
  if (moved == nullptr) return beside;
  state[kOutcome] = kFlatMoved;
  napi_value both;
  napi_create_array_with_length(env, 2, &both);
  napi_set_element(env, both, 0, moved);
  napi_set_element(env, both, 1, beside);
  return both;
}

/// A value: a scalar directly, plain data as slots or through the fast codec, anything else through
/// `engine.encode(value, mode)`.
napi_value deliver_value(const Gil& gil, napi_env env, EngineContext& context, PyObject* value, int mode) {
  const bool too_long =
      type_of(value) == py().PyUnicode_Type &&
      static_cast<std::size_t>(py().PyUnicode_GetLength(value)) > context.engine->limits.bytes;
  if (mode == 0 && !too_long) {
    napi_value result = nullptr;
    switch (scalar_to_javascript(gil, env, value, result)) {
      case Conversion::kDone:
        context.state[kOutcome] = kScalar;
        return result;
      case Conversion::kFailed:
        return deliver_error(gil, env, context);
      case Conversion::kNotScalar:
        break;
    }
    if (napi_value flat = deliver_flat(gil, env, context, value)) return flat;
    bool pending = false;
    if (napi_is_exception_pending(env, &pending) == napi_ok && pending) return nullptr;
    StreamWriter& writer = context.attachment->writer;
    if (writer.write(gil, value, context.engine->limits)) {
      context.state[kFast]++;
      return deliver(env, context, kStream, writer.data(), writer.size());
    }
  }
  PyOwned number = PyOwned::steal(py().PyLong_FromLongLong(mode));
  PyObject* args[] = {value, number.get()};
  if (!context.engine->methods.encode) return closed_meanwhile(env);
  PyOwned encode = PyOwned::share(context.engine->methods.encode.get());  // closing may drop it meanwhile
  PyOwned pair = number ? PyOwned::steal(py().vectorcall(encode.get(), args, 2)) : PyOwned();
  if (!pair) return deliver_error(gil, env, context);
  napi_value result = deliver_pair(gil, env, context, pair.get());
  return py().PyErr_Occurred() != nullptr ? deliver_error(gil, env, context) : result;
}

/// The object of a handle; empty when the handle is gone (an exception is pending).
PyOwned object_of(const Gil&, napi_env env, EngineContext& context, napi_value handle) {
  double number = 0;
  if (napi_get_value_double(env, handle, &number) != napi_ok || !(number >= 1) ||
      number > 9007199254740991.0) {
    throw_argument(env, "a handle is a positive integer");
    return {};
  }
  const auto id = static_cast<long long>(number);
  const auto slot = static_cast<Py_ssize_t>(id & 0xFFFFFF);
  EngineMethods& methods = context.engine->methods;
  if (!methods.engine) {  // closed while this thread attached
    napi_throw_error(env, "ERR_CLOSED", "The engine is closed.");
    return {};
  }
  if (slot < py().PyList_Size(methods.ids.get()) && slot < py().PyList_Size(methods.objects.get())) {
    int overflow = 0;
    if (py().PyLong_AsLongLongAndOverflow(py().PyList_GetItem(methods.ids.get(), slot), &overflow) == id) {
      return PyOwned::share(py().PyList_GetItem(methods.objects.get(), slot));
    }
  }
  py().PyErr_Clear();
  napi_throw_error(env, "ERR_HANDLE_DISPOSED", "The ref was disposed: its Python object is gone.");
  return {};
}

}  // namespace

napi_value sync_call(napi_env env, napi_callback_info info) {
  std::array<napi_value, kFewArguments + 1> few;
  std::vector<napi_value> many;
  std::size_t count = few.size();
  void* data = nullptr;
  napi_get_cb_info(env, info, &count, few.data(), nullptr, &data);
  napi_value* values = few.data();
  if (count > few.size()) {
    many.resize(count);
    napi_get_cb_info(env, info, &count, many.data(), nullptr, &data);
    values = many.data();
  }
  EngineContext* context = context_of(env, data);
  if (context == nullptr) return nullptr;
  if (count == 0) return throw_argument(env, "call needs a handle");

  SyncScope scope(*context);
  const Gil& gil = scope.token();
  PyOwned callee = object_of(gil, env, *context, values[0]);
  if (!callee) return nullptr;
  std::array<PyOwned, kFewArguments> held_few;
  std::vector<PyOwned> held_many(count - 1 > kFewArguments ? count - 1 : 0);
  PyOwned* held = held_many.empty() ? held_few.data() : held_many.data();
  std::array<PyObject*, kFewArguments + 1> few_args;
  std::vector<PyObject*> many_args(held_many.empty() ? 0 : count);
  PyObject** args = held_many.empty() ? few_args.data() : many_args.data();
  for (std::size_t i = 0; i + 1 < count; i++) {
    held[i] = scalar_to_python(gil, env, values[i + 1]);
    if (!held[i]) {
      if (py().PyErr_Occurred() != nullptr) return deliver_error(gil, env, *context);
      return throw_argument(
          env, "an argument of a scalar call is not null, a boolean, a number, a bigint or a string");
    }
    args[i + 1] = held[i].get();
  }
  PyOwned result = PyOwned::steal(py().vectorcall(callee.get(), args + 1, (count - 1) | kVectorcallOffset));
  if (!result) return deliver_error(gil, env, *context);
  return deliver_value(gil, env, *context, result.get(), 0);
}

namespace {

/// `engine.decode(stream)`: extension values, and errors with their reason.
PyOwned decode_slowly(EngineContext& context, const PyOwned& stream) {
  PyOwned decode = PyOwned::share(context.engine->methods.decode.get());
  PyObject* args[] = {stream.get()};
  return stream ? PyOwned::steal(py().vectorcall(decode.get(), args, 1)) : PyOwned();
}

PyOwned copied(const unsigned char* data, std::size_t length) {
  return PyOwned::steal(
      py().PyBytes_FromStringAndSize(reinterpret_cast<const char*>(data), static_cast<Py_ssize_t>(length)));
}

}  // namespace

napi_value sync_call_stream(napi_env env, napi_callback_info info) {
  napi_value values[2];
  std::size_t count = 2;
  void* data = nullptr;
  napi_get_cb_info(env, info, &count, values, nullptr, &data);
  EngineContext* context = context_of(env, data);
  if (context == nullptr) return nullptr;
  const unsigned char* bytes = nullptr;
  std::size_t length = 0;
  if (count < 2 || !read_bytes(env, values[1], bytes, length))
    return throw_argument(env, "callStream needs a handle and a Uint8Array");

  SyncScope scope(*context);
  const Gil& gil = scope.token();
  PyOwned callee = object_of(gil, env, *context, values[0]);
  if (!callee) return nullptr;
  PyOwned operands = context->attachment->reader.read(gil, bytes, length, context->engine->limits);
  if (operands) {
    context->state[kFast]++;
  } else {
    operands = decode_slowly(*context, copied(bytes, length));
  }
  if (!operands) return deliver_error(gil, env, *context);
  PyObject* positional =
      type_of(operands.get()) == py().PyTuple_Type ? py().PyTuple_GetItem(operands.get(), 0) : nullptr;
  PyObject* keywords = positional != nullptr ? py().PyTuple_GetItem(operands.get(), 1) : nullptr;
  const bool fits = keywords != nullptr && type_of(positional) == py().PyTuple_Type &&
                    (keywords == py()._Py_NoneStruct || type_of(keywords) == py().PyDict_Type);
  if (!fits) {
    py().PyErr_Clear();
    return throw_argument(env, "the operands of callStream are no (args tuple, kwargs dict or None)");
  }
  PyOwned result = PyOwned::steal(
      py().PyObject_Call(callee.get(), positional, keywords == py()._Py_NoneStruct ? nullptr : keywords));
  if (!result) return deliver_error(gil, env, *context);
  return deliver_value(gil, env, *context, result.get(), 0);
}

napi_value sync_call_flat(napi_env env, napi_callback_info info) {
  napi_value values[4];
  std::size_t count = 4;
  void* data = nullptr;
  napi_get_cb_info(env, info, &count, values, nullptr, &data);
  EngineContext* context = context_of(env, data);
  if (context == nullptr) return nullptr;
  std::uint32_t slots = 0;
  context->state[kTaken] = 0;
  if (count < 4 || napi_get_value_uint32(env, values[1], &slots) != napi_ok)
    return throw_argument(env, "callFlat needs a handle, a number of slots, a text and buffers");

  SyncScope scope(*context);
  const Gil& gil = scope.token();
  PyOwned callee = object_of(gil, env, *context, values[0]);
  if (!callee) return nullptr;
  context->state[kReading] = 1;
  const FlatReader::Arguments made = context->flat_reader.read(gil, env, slots, values[2], values[3]);
  context->state[kReading] = 0;
  if (!made.positional) {
    if (py().PyErr_Occurred() != nullptr) return deliver_error(gil, env, *context);
    return throw_argument(env, "the slots of callFlat make no sense");
  }
  context->state[kTaken] = 1;
  context->state[kFast]++;
  PyOwned result =
      PyOwned::steal(py().PyObject_Call(callee.get(), made.positional.get(), made.keywords.get()));
  if (!result) return deliver_error(gil, env, *context);
  return deliver_value(gil, env, *context, result.get(), 0);
}

napi_value use_flat_memory(napi_env env, napi_callback_info info) {
  napi_value buffer;
  std::size_t count = 1;
  void* data = nullptr;
  napi_get_cb_info(env, info, &count, &buffer, nullptr, &data);
  auto* context = static_cast<EngineContext*>(data);
  if (count < 1 || context->flat_reader.reading() || !context->flat_reader.memory().adopt(env, buffer))
    return throw_argument(env, "useMemory needs an ArrayBuffer, and no call that is reading one");
  return nullptr;
}

napi_value sync_convert(napi_env env, napi_callback_info info) {
  napi_value values[2];
  std::size_t count = 2;
  void* data = nullptr;
  napi_get_cb_info(env, info, &count, values, nullptr, &data);
  EngineContext* context = context_of(env, data);
  if (context == nullptr) return nullptr;
  int mode = 0;
  if (count < 2 || napi_get_value_int32(env, values[1], &mode) != napi_ok)
    return throw_argument(env, "convert needs a handle and a mode");

  SyncScope scope(*context);
  const Gil& gil = scope.token();
  PyOwned object = object_of(gil, env, *context, values[0]);
  if (!object) return nullptr;
  std::string stream;
  if ((mode & 7) == kViewMode && write_view(gil, *context->engine, object.get(), stream))
    return deliver(env, *context, kStream, stream.data(), stream.size());
  return deliver_value(gil, env, *context, object.get(), mode);
}

napi_value sync_get(napi_env env, napi_callback_info info) {
  napi_value values[3];
  std::size_t count = 3;
  void* data = nullptr;
  napi_get_cb_info(env, info, &count, values, nullptr, &data);
  EngineContext* context = context_of(env, data);
  if (context == nullptr) return nullptr;
  int mode = 0;
  if (count < 3 || napi_get_value_int32(env, values[2], &mode) != napi_ok) {
    return throw_argument(env, "get needs a handle, a name and a mode");
  }

  SyncScope scope(*context);
  const Gil& gil = scope.token();
  PyOwned object = object_of(gil, env, *context, values[0]);
  if (!object) return nullptr;
  PyOwned name = scalar_to_python(gil, env, values[1]);
  if (!name || type_of(name.get()) != py().PyUnicode_Type)
    return throw_argument(env, "the name of an attribute is a string");
  PyOwned result = PyOwned::steal(py().PyObject_GetAttr(object.get(), name.get()));
  if (!result) return deliver_error(gil, env, *context);
  return deliver_value(gil, env, *context, result.get(), mode);
}

napi_value sync_run(napi_env env, napi_callback_info info) {
  napi_value values[1];
  std::size_t count = 1;
  void* data = nullptr;
  napi_get_cb_info(env, info, &count, values, nullptr, &data);
  EngineContext* context = context_of(env, data);
  if (context == nullptr) return nullptr;
  const unsigned char* bytes = nullptr;
  std::size_t length = 0;
  if (count < 1 || !read_bytes(env, values[0], bytes, length))
    return throw_argument(env, "run needs a frame (Uint8Array)");

  SyncScope scope(*context);
  const Gil& gil = scope.token();
  if (!context->engine->methods.engine) {  // closed while this thread attached
    napi_throw_error(env, "ERR_CLOSED", "The engine is closed.");
    return nullptr;
  }
  PyOwned frame = copied(bytes, length);
  PyOwned run_sync = PyOwned::share(context->engine->methods.run_sync.get());
  PyObject* args[] = {frame.get()};
  PyOwned reply = frame ? PyOwned::steal(py().vectorcall(run_sync.get(), args, 1)) : PyOwned();
  char* data_out = nullptr;
  Py_ssize_t reply_length = 0;
  if (!reply || py().PyBytes_AsStringAndSize(reply.get(), &data_out, &reply_length) != 0) {
    return deliver_error(gil, env, *context);
  }
  return deliver(env, *context, kStream, data_out, static_cast<std::size_t>(reply_length));
}

}  // namespace isopy
