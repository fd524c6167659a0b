#include "lent_function.h"

#include <array>
#include <cstddef>
#include <string>
#include <utility>

#include "asking.h"
#include "environment.h"
#include "forking.h"
#include "handle_scope.h"
#include "host_object.h"
#include "scalars.h"

namespace isopy {

namespace {

constexpr std::size_t kMostArguments = 8;
/// Longer text goes in a frame, where its limits are checked.
constexpr Py_ssize_t kLongestText = 1 << 16;

/// What a proxy of a function knows once it was called; owned by the proxy.
struct Binding {
  enum class Way { kUnknown, kDirect, kFrame };
  std::shared_ptr<Engine> engine;
  double id = 0;
  Way way = Way::kUnknown;
  napi_ref function = nullptr;  // set when direct; the JS thread's

  ~Binding() {
    if (function != nullptr) engine->js.drop(function);
  }
};

/// How large a bare Python object is; of this process's Python, and written once.
std::size_t object_size = 0;

using VectorCall = PyObject* (*)(PyObject* self, PyObject* const* args, std::size_t nargsf, PyObject* names);

/// What follows the object's head.
struct LentPart {
  Binding* binding;
  VectorCall vectorcall;  // null until the first call, which makes the binding
};

LentPart& part_of(PyObject* self) {
  return *reinterpret_cast<LentPart*>(reinterpret_cast<char*>(self) + object_size);
}

void lent_dealloc(PyObject* self) {
  delete part_of(self).binding;
  PyObject* type = type_of(self);
  auto* free = reinterpret_cast<void (*)(void*)>(py().PyType_GetSlot(type, kTypeFree));
  free(self);
  py().Py_DecRef(type);  // a heap type is owned by its instances
}

PyOwned attribute(PyObject* object, const char* name) {
  return PyOwned::steal(py().PyObject_GetAttrString(object, name));
}

PyObject* lent_vectorcall(PyObject* self, PyObject* const* args, std::size_t nargsf, PyObject* names);

/// The binding of a proxy, made at its first call. Null when the proxy is not complete.
Binding* bind(const Gil&, PyObject* self) {
  PyOwned owner = attribute(self, "_isopy_engine");
  PyOwned host = owner ? attribute(owner.get(), "host") : PyOwned();
  PyOwned number = host ? attribute(self, "_isopy_id") : PyOwned();
  const std::shared_ptr<Engine> engine = host ? engine_of_host(host.get()) : nullptr;
  int overflow = 0;
  const long long id = number ? py().PyLong_AsLongLongAndOverflow(number.get(), &overflow) : -1;
  if (!engine || id < 0) {
    py().PyErr_Clear();
    return nullptr;
  }
  auto* binding = new Binding;
  binding->engine = engine;
  binding->id = static_cast<double>(id);
  part_of(self) = {binding, &lent_vectorcall};
  return binding;
}

/// Calls one of our own functions of JavaScript, detached. Null, or the problem.
const char* call_ours(const Gil& gil, napi_env env, napi_ref function, std::size_t count,
                      const napi_value* args, napi_value& result) {
  napi_value callee, receiver;
  if (napi_get_reference_value(env, function, &callee) != napi_ok ||
      napi_get_undefined(env, &receiver) != napi_ok)
    return "stopping";
  GilRelease detached(gil);
  if (napi_call_function(env, receiver, callee, count, args, &result) == napi_ok) return nullptr;
  return why_ours_failed(env);
}

/// JS thread: finds out how the function is called, and keeps it when that is directly.
void resolve(const Gil& gil, Binding& binding) {
  JsThread& js = binding.engine->js;
  release_dropped_functions(js);
  binding.way = Binding::Way::kFrame;
  HandleScope scope(js.env);
  napi_value id, function = nullptr;
  napi_valuetype type = napi_undefined;
  if (scope.open() && napi_create_double(js.env, binding.id, &id) == napi_ok &&
      call_ours(gil, js.env, js.callee, 1, &id, function) == nullptr &&
      napi_typeof(js.env, function, &type) == napi_ok && type == napi_function &&
      napi_create_reference(js.env, function, 1, &binding.function) == napi_ok) {
    binding.way = Binding::Way::kDirect;
  }
}

/// A scalar argument; false when it has to go in a frame.
bool to_argument(const Gil& gil, napi_env env, PyObject* object, napi_value& value) {
  if (type_of(object) == py().PyUnicode_Type && py().PyUnicode_GetLength(object) > kLongestText) return false;
  value = nullptr;
  const Conversion done = scalar_to_javascript(gil, env, object, value);
  if (done == Conversion::kDone && value != nullptr) return true;
  py().PyErr_Clear();
  napi_value thrown;  // an int that is too long for V8
  bool pending = false;
  if (napi_is_exception_pending(env, &pending) == napi_ok && pending)
    napi_get_and_clear_last_exception(env, &thrown);
  return false;
}

/// What the call gave, through the codec: a value that is no scalar, or what was thrown.
PyOwned through_codec(const Gil& gil, PyObject* self, Engine& engine, bool ok, napi_value value) {
  napi_env env = engine.js.env;
  napi_value args[2] = {nullptr, value}, answer = nullptr;
  const unsigned char* data = nullptr;
  std::size_t length = 0;
  const char* problem = "stopping";
  if (napi_get_boolean(env, ok, &args[0]) == napi_ok)
    problem = call_ours(gil, env, engine.js.answer_with, 2, args, answer);
  if (problem == nullptr && !read_bytes(env, answer, data, length)) problem = "stopping";
  if (problem != nullptr) {
    raise_unanswered(gil, problem, engine.deadlock_ms);
    return {};
  }
  PyOwned frame = PyOwned::steal(
      py().PyBytes_FromStringAndSize(reinterpret_cast<const char*>(data), static_cast<Py_ssize_t>(length)));
  // Not from the engine's methods: the function may have closed the engine.
  PyOwned owner = frame ? attribute(self, "_isopy_engine") : PyOwned();
  PyOwned asker = owner ? attribute(owner.get(), "asker") : PyOwned();
  PyOwned answered = asker ? attribute(asker.get(), "answered") : PyOwned();
  PyObject* operands[] = {frame.get()};
  return answered ? PyOwned::steal(py().vectorcall(answered.get(), operands, 1)) : PyOwned();
}

PyOwned to_result(const Gil& gil, PyObject* self, Engine& engine, napi_value value) {
  PyOwned result = scalar_to_python(gil, engine.js.env, value);
  if (result) {
    const bool long_text =
        type_of(result.get()) == py().PyUnicode_Type && py().PyUnicode_GetLength(result.get()) > kLongestText;
    if (!long_text) return result;
  } else if (py().PyErr_Occurred() != nullptr) {
    return {};
  }
  return through_codec(gil, self, engine, true, value);
}

/// Whether a call from here may go to JavaScript at once: on its thread, inside a sync call, and with nothing
/// on the way that JavaScript must see first.
bool may_call(Engine& engine) {
  return pthread_equal(pthread_self(), engine.js.thread) != 0 && !engine.closed() && !in_forked_child() &&
         engine.js.depth.load(std::memory_order_relaxed) > 0 && !engine.outbox.waiting() &&
         engine.methods.printed && var_size(engine.methods.printed.get()) == 0;
}

/// True when JavaScript was called: `result` is what it gave, or empty with an error set.
bool call_directly(const Gil& gil, PyObject* self, Binding& binding, PyObject* const* args, std::size_t count,
                   PyOwned& result) {
  if (count > kMostArguments || !may_call(*binding.engine)) return false;
  if (binding.way == Binding::Way::kUnknown) resolve(gil, binding);
  if (binding.way != Binding::Way::kDirect) return false;
  Engine& engine = *binding.engine;
  napi_env env = engine.js.env;
  HandleScope scope(env);
  std::array<napi_value, kMostArguments> values;
  napi_value function, receiver, value = nullptr;
  if (!scope.open() || napi_get_reference_value(env, binding.function, &function) != napi_ok ||
      napi_get_undefined(env, &receiver) != napi_ok)
    return false;
  for (std::size_t i = 0; i < count; i++) {
    if (!to_argument(gil, env, args[i], values[i])) return false;
  }
  napi_status status;
  {
    // The depth stays; the epoch moves when the function calls Python again.
    GilRelease detached(gil);
    status = napi_call_function(env, receiver, function, count, values.data(), &value);
  }
  if (status == napi_ok) {
    result = to_result(gil, self, engine, value);
    return true;
  }
  bool pending = false;
  if (napi_is_exception_pending(env, &pending) == napi_ok && pending &&
      napi_get_and_clear_last_exception(env, &value) == napi_ok) {
    result = through_codec(gil, self, engine, false, value);
  } else {
    raise_unanswered(gil, "stopping", engine.deadlock_ms);
  }
  return true;
}

/// With a frame. Until 3.11 no call with names of keywords is exported, so they become a dict.
PyObject* call_slowly(PyObject* self, PyObject* const* args, std::size_t count, PyObject* names) {
  PyOwned slowly = attribute(self, "_isopy_call");
  PyOwned tuple = PyOwned::steal(py().PyTuple_New(static_cast<Py_ssize_t>(count)));
  PyOwned keywords = names != nullptr ? PyOwned::steal(py().PyDict_New()) : PyOwned();
  if (!slowly || !tuple || (names != nullptr && !keywords)) return nullptr;
  for (std::size_t i = 0; i < count; i++)
    fill_tuple(tuple.get(), static_cast<Py_ssize_t>(i), PyOwned::share(args[i]).release());
  const Py_ssize_t named = names != nullptr ? py().PyTuple_Size(names) : 0;
  for (Py_ssize_t i = 0; i < named; i++) {
    PyObject* value = args[count + static_cast<std::size_t>(i)];
    if (py().PyDict_SetItem(keywords.get(), py().PyTuple_GetItem(names, i), value) != 0) return nullptr;
  }
  return py().PyObject_Call(slowly.get(), tuple.get(), keywords.get());
}

PyObject* lent_vectorcall(PyObject* self, PyObject* const* args, std::size_t nargsf, PyObject* names) {
  GilHeld held;
  const Gil& gil = held.token();
  const bool bare = names == nullptr || py().PyTuple_Size(names) == 0;
  Binding* binding = part_of(self).binding;
  PyOwned result;
  if (bare && binding != nullptr &&
      call_directly(gil, self, *binding, args, nargsf & ~kVectorcallOffset, result))
    return result.release();
  return call_slowly(self, args, nargsf & ~kVectorcallOffset, names);
}

/// The first call of a proxy, and every call where Python does not see that it can do without a tuple.
PyObject* lent_call(PyObject* self, PyObject* args, PyObject* kwargs) {
  GilHeld held;
  const Gil& gil = held.token();
  Binding* binding = part_of(self).binding;
  if (binding == nullptr) binding = bind(gil, self);
  if (binding != nullptr && (kwargs == nullptr || py().PyDict_Size(kwargs) == 0)) {
    std::array<PyObject*, kMostArguments> values;
    const auto count = static_cast<std::size_t>(py().PyTuple_Size(args));
    for (std::size_t i = 0; i < count && i < kMostArguments; i++)
      values[i] = py().PyTuple_GetItem(args, static_cast<Py_ssize_t>(i));
    PyOwned result;
    if (call_directly(gil, self, *binding, values.data(), count, result)) return result.release();
  }
  PyOwned slowly = attribute(self, "_isopy_call");
  return slowly ? py().PyObject_Call(slowly.get(), args, kwargs) : nullptr;
}

/// `function_type(base)`: the class of the proxies of functions, below a class that is below `Lent`. It is
/// made here because before Python 3.12 no class of Python inherits that it takes its arguments without a
/// tuple.
PyObject* function_type(PyObject*, PyObject* const* args, Py_ssize_t count) {
  PyOwned bases = PyOwned::steal(py().PyTuple_New(1));
  if (!bases || count != 1) {
    if (bases) py().PyErr_SetString(py().PyExc_TypeError, "function_type(base)");
    return nullptr;
  }
  fill_tuple(bases.get(), 0, PyOwned::share(args[0]).release());
  PyMember members[] = {
      {"__vectorcalloffset__", kMemberSsize,
       static_cast<Py_ssize_t>(object_size + offsetof(LentPart, vectorcall)), kMemberReadOnly, nullptr},
      {nullptr, 0, 0, 0, nullptr}};
  PyTypeSlot slots[] = {{kTypeCall, type_slot(&lent_call)}, {kTypeMembers, members}, {0, nullptr}};
  PyTypeSpec spec = {"_isopy.proxies.JsFunction", 0, 0, kTypeFlags | kTypeVectorcall, slots};
  return py().PyType_FromSpecWithBases(&spec, bases.get());
}

PyMethodDef function_type_method = fast_method("function_type", &function_type);

}  // namespace

bool install_lent_types(const Gil&) {
  PyOwned bare = PyOwned::steal(py().PyObject_GetAttrString(py().PyBaseObject_Type, "__basicsize__"));
  if (!bare) return false;
  object_size = py().PyLong_AsUnsignedLong(bare.get());
  PyTypeSlot slots[] = {{kTypeDealloc, type_slot(&lent_dealloc)}, {0, nullptr}};
  PyTypeSpec spec = {"_isopy_native.Lent", static_cast<int>(object_size + sizeof(LentPart)), 0, kTypeFlags,
                     slots};
  PyObject* module = py().PyImport_AddModule("_isopy_native");  // borrowed
  PyOwned lent = PyOwned::steal(py().PyType_FromSpecWithBases(&spec, nullptr));
  PyOwned maker = PyOwned::steal(py().PyCFunction_NewEx(&function_type_method, nullptr, nullptr));
  return module != nullptr && lent && maker && py().PyObject_SetAttrString(module, "Lent", lent.get()) == 0 &&
         py().PyObject_SetAttrString(module, "function_type", maker.get()) == 0;
}

void release_dropped_functions(JsThread& js) {
  for (napi_ref function : js.take_dropped()) napi_delete_reference(js.env, function);
}

}  // namespace isopy
