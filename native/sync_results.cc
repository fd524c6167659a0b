#include "sync_results.h"

#include <cstring>

#include "runtime.h"
#include "scalars.h"

namespace isopy {

namespace {

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

enum class Delivery { kDone, kElsewhere, kFailed };

/// A ref without calling Python, where the type alone decides: the one that lives, or the handle for a
/// new one. kFailed leaves a Python error.
Delivery deliver_reference(const Gil& gil, napi_env env, EngineContext& context, PyObject* value,
                           RefTable::Kind kind, napi_value& result) {
  Engine& engine = *context.engine;
  EngineMethods& methods = engine.methods;
  if (!methods.engine) return Delivery::kElsewhere;  // Python closed it meanwhile
  if (kind == RefTable::kCopies && var_size(methods.ruled.get()) != 0) return Delivery::kElsewhere;
  const TypeInfo* known = engine.types.find(gil, value, methods.reference);
  if (known == nullptr) return py().PyErr_Occurred() != nullptr ? Delivery::kFailed : Delivery::kElsewhere;
  if (!(kind == RefTable::kCopies ? known->alone : known->keeps)) return Delivery::kElsewhere;
  HandleId id = engine.handles.find(gil, value);
  if (id != 0) {
    result = context.refs.find(env, id, kind);
    if (result != nullptr) {
      context.state[kOutcome] = kScalar;
      return Delivery::kDone;
    }
  }
  context.state[kFlags] = known->flags;
  context.state[kType] = known->told ? known->index : ~known->index;
  // Last, because it may run Python.
  if (context.refs.crowded()) {
    for (const RefTable::Release& gone : context.refs.sweep(env))
      engine.release_handle(gil, gone.id, gone.count);
    id = engine.handles.find(gil, value);
  }
  if (id == 0 || !context.refs.holds(id, kind)) {
    id = engine.handles.introduce(gil, value);
    if (id == 0) return Delivery::kElsewhere;  // none is left, and `_isopy` says so
    context.refs.introduce(env, id, kind);
  }
  context.state[kOutcome] = kReference;
  napi_create_double(env, static_cast<double>(id), &result);
  return Delivery::kDone;
}

}  // namespace

napi_value deliver(napi_env env, EngineContext& context, Outcome outcome, const char* data,
                   std::size_t length) {
  context.state[kOutcome] = outcome;
  if (length > kScratchBytes) return new_bytes(env, data, length);
  std::memcpy(context.scratch, data, length);
  context.state[kLength] = static_cast<std::int32_t>(length);
  return nullptr;
}

/// A callback closed the engine during the call: nobody is left who could encode what it gave.
static napi_value closed_meanwhile(napi_env env) {
  py().PyErr_Clear();
  napi_throw_error(env, "ERR_CLOSED", "The engine was closed during this call.");
  return nullptr;
}

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

napi_value deliver_value(const Gil& gil, napi_env env, EngineContext& context, PyObject* value,
                         RefTable::Kind kind) {
  napi_value result = nullptr;
  const bool too_long =
      type_of(value) == py().PyUnicode_Type &&
      static_cast<std::size_t>(py().PyUnicode_GetLength(value)) > context.engine->limits.bytes;
  if (kind == RefTable::kCopies && !too_long) {
    switch (scalar_to_javascript(gil, env, value, result)) {
      case Conversion::kDone:
        context.state[kOutcome] = kScalar;
        return result;
      case Conversion::kFailed:
        return deliver_error(gil, env, context);
      case Conversion::kNotScalar:
        break;
    }
  }
  switch (deliver_reference(gil, env, context, value, kind, result)) {
    case Delivery::kDone:
      return result;
    case Delivery::kFailed:
      return deliver_error(gil, env, context);
    case Delivery::kElsewhere:
      break;
  }
  if (kind == RefTable::kCopies && !too_long) {
    if (napi_value flat = deliver_flat(gil, env, context, value)) return flat;
    bool pending = false;
    if (napi_is_exception_pending(env, &pending) == napi_ok && pending) return nullptr;
    StreamWriter& writer = context.attachment->writer;
    if (writer.write(gil, value, context.engine->limits)) {
      context.state[kFast]++;
      return deliver(env, context, kStream, writer.data(), writer.size());
    }
  }
  return deliver_encoded(gil, env, context, value, kind == RefTable::kKeeps ? 1 : 0);
}

napi_value deliver_encoded(const Gil& gil, napi_env env, EngineContext& context, PyObject* value, int mode) {
  if (!context.engine->methods.encode) return closed_meanwhile(env);
  PyOwned number = PyOwned::steal(py().PyLong_FromLongLong(mode));
  PyObject* args[] = {value, number.get()};
  PyOwned encode = PyOwned::share(context.engine->methods.encode.get());  // closing may drop it meanwhile
  PyOwned pair = number ? PyOwned::steal(py().vectorcall(encode.get(), args, 2)) : PyOwned();
  if (!pair) return deliver_error(gil, env, context);
  napi_value result = deliver_pair(gil, env, context, pair.get());
  return py().PyErr_Occurred() != nullptr ? deliver_error(gil, env, context) : result;
}

}  // namespace isopy
