#include "sync_calls.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "array_result.h"
#include "interpreter.h"
#include "scalars.h"
#include "sync_results.h"
#include "sync_scope.h"
#include "view_stream.h"

namespace isopy {

namespace {

using Kind = RefTable::Kind;
constexpr Kind kCopies = RefTable::kCopies, kKeeps = RefTable::kKeeps;

/// Names that an engine remembers for JavaScript; those of a program are far fewer.
constexpr std::size_t kMostNames = 4096;
/// PROTOCOL.md, section 3.
constexpr int kCopyMode = 2, kViewMode = 5;

/// The object of a handle; empty when the handle is gone (an exception is pending).
PyOwned object_of(const Gil& gil, napi_env env, EngineContext& context, HandleId id) {
  if (id == 0) {
    throw_argument(env, "a handle is a positive integer");
    return {};
  }
  if (PyObject* object = context.engine->handles.object_of(gil, id)) return PyOwned::share(object);
  napi_throw_error(env, "ERR_HANDLE_DISPOSED", "The ref was disposed: its Python object is gone.");
  return {};
}

PyOwned object_of(const Gil& gil, napi_env env, EngineContext& context, napi_value handle) {
  return object_of(gil, env, context, handle_argument(env, handle));
}

/// A scalar argument; empty with a Python error or a JS exception pending.
PyOwned scalar_argument(const Gil& gil, napi_env env, napi_value value) {
  PyOwned scalar = scalar_to_python(gil, env, value);
  if (!scalar && py().PyErr_Occurred() == nullptr)
    throw_argument(env,
                   "an argument of a scalar call is not null, a boolean, a number, a bigint or a string");
  return scalar;
}

/// A name that JavaScript has a number for, or the name itself; as scalar_argument.
PyOwned name_argument(const Gil& gil, napi_env env, EngineContext& context, napi_value value) {
  std::uint32_t index = 0;
  if (napi_get_value_uint32(env, value, &index) == napi_ok) {
    const auto& names = context.engine->names;
    if (index < names.size()) return PyOwned::share(names[index].text.get());
  }
  PyOwned name = scalar_to_python(gil, env, value);
  if (name && type_of(name.get()) == py().PyUnicode_Type) return name;
  if (py().PyErr_Occurred() == nullptr) throw_argument(env, "a name is a string");
  return {};
}

PyOwned copied(const unsigned char* data, std::size_t length) {
  return PyOwned::steal(
      py().PyBytes_FromStringAndSize(reinterpret_cast<const char*>(data), static_cast<Py_ssize_t>(length)));
}

/// What an operation of one sync call gives: an object, or none with a Python error or a JS exception
/// pending.
template <typename Operation>
napi_value perform(napi_env env, const SyncArguments& arguments, Kind kind, Operation operation) {
  if (!arguments) return nullptr;
  EngineContext& context = arguments.context();
  SyncScope scope(context);
  if (scope.closed(env)) return nullptr;
  PyOwned result = operation(scope.token(), context);
  if (result) return deliver_value(scope.token(), env, context, result.get(), kind);
  // A JS exception goes first: a bad argument, a string too long for V8, what a callback threw.
  return deliver_error(scope.token(), env, context);
}

/// The same, on the object of the handle that is the first argument.
template <typename Operation>
napi_value perform_on(napi_env env, const SyncArguments& arguments, Kind kind, Operation operation) {
  return perform(env, arguments, kind, [&](const Gil& gil, EngineContext& context) {
    PyOwned object = object_of(gil, env, context, arguments[0]);
    return object ? operation(gil, context, object.get()) : PyOwned();
  });
}

/// Arguments `from` to the end as scalars, or as the objects of handles where `mask` says so.
napi_value call_with(napi_env env, napi_callback_info info, Kind kind, bool masked) {
  SyncArguments given(env, info);
  return perform_on(
      env, given, kind, [&](const Gil& gil, EngineContext& context, PyObject* callee) -> PyOwned {
        constexpr std::size_t kFew = 8;
        std::uint32_t mask = 0;
        const std::size_t from = masked ? 2 : 1;
        if (masked && (given.count() < from || napi_get_value_uint32(env, given[1], &mask) != napi_ok)) {
          throw_argument(env, "callRefs needs a handle and a mask");
          return {};
        }
        const std::size_t count = given.count() < from ? 0 : given.count() - from;
        std::array<PyObject*, kFew + 1> few{};
        std::vector<PyObject*> many(count > kFew ? count + 1 : 0);
        PyObject** args = many.empty() ? few.data() : many.data();
        bool complete = true;
        // Handles first: making a scalar may run Python, and then a ref that JavaScript has dropped can go.
        for (std::size_t i = 0; i < count && complete && i < 32 && mask >> i != 0; i++) {
          if ((mask >> i & 1) == 0) continue;
          args[i + 1] = object_of(gil, env, context, given[from + i]).release();
          complete = args[i + 1] != nullptr;
        }
        for (std::size_t i = 0; i < count && complete; i++) {
          if (args[i + 1] == nullptr) args[i + 1] = scalar_argument(gil, env, given[from + i]).release();
          complete = args[i + 1] != nullptr;
        }
        PyOwned result;
        if (complete) result = context.engine->methods.framed.vectorcall(callee, args + 1, count);
        for (std::size_t i = 1; i <= count; i++) PyOwned::steal(args[i]);
        return result;
      });
}

napi_value get_attribute(napi_env env, napi_callback_info info, Kind kind) {
  SyncArguments given(env, info);
  return perform_on(env, given, kind, [&](const Gil& gil, EngineContext& context, PyObject* object) {
    PyOwned name = name_argument(gil, env, context, given[1]);
    return name ? PyOwned::steal(py().PyObject_GetAttr(object, name.get())) : PyOwned();
  });
}

/// `engine.decode(stream)`: extension values, and errors with their reason.
PyOwned decode_slowly(EngineContext& context, const PyOwned& stream) {
  PyOwned decode = PyOwned::share(context.engine->methods.decode.get());
  PyObject* args[] = {stream.get()};
  return stream ? PyOwned::steal(py().vectorcall(decode.get(), args, 1)) : PyOwned();
}

PyOwned none() { return PyOwned::share(py()._Py_NoneStruct); }

/// Whether another thread is still importing the module, so that only the import system can say when it is
/// done.
bool initializing(PyObject* module) {
  PyOwned spec = PyOwned::steal(py().PyObject_GetAttrString(module, "__spec__"));
  PyOwned flag = spec ? PyOwned::steal(py().PyObject_GetAttrString(spec.get(), "_initializing")) : PyOwned();
  const int truth = flag ? py().PyObject_IsTrue(flag.get()) : 0;
  if (truth <= 0) py().PyErr_Clear();
  return truth > 0;
}

/// Whether the module of this name can be used. Once it can, that is known by its handle, which no other
/// object ever gets: asking the module costs as much as all the rest of an import.
bool usable(const Gil& gil, napi_env env, EngineContext& context, napi_value name, PyObject* module) {
  if (module == nullptr || module == py()._Py_NoneStruct) return false;
  auto& names = context.engine->names;
  const HandleTable& handles = context.engine->handles;
  std::uint32_t index = 0;
  if (napi_get_value_uint32(env, name, &index) != napi_ok || index >= names.size())
    return !initializing(module);
  if (handles.object_of(gil, names[index].initialised) == module) return true;
  if (initializing(module)) return false;
  names[index].initialised = handles.find(gil, module);  // none as long as JavaScript has no ref
  return true;
}

}  // namespace

napi_value sync_call(napi_env env, napi_callback_info info) { return call_with(env, info, kCopies, false); }

napi_value sync_call_numbers(napi_env env, napi_callback_info info) {
  SyncArguments given(env, info);
  if (!given) return nullptr;
  EngineContext& context = given.context();
  std::uint32_t count = 0;
  if (napi_get_value_uint32(env, given[0], &count) != napi_ok || count >= kNumbers)
    return throw_argument(env, "callNumbers needs a count below 8");
  std::array<double, kNumbers> numbers;  // whatever runs below may call Python again
  std::copy_n(context.numbers, count + 1, numbers.begin());
  SyncScope scope(context);
  if (scope.closed(env)) return nullptr;
  const Gil& gil = scope.token();
  PyOwned callee = object_of(gil, env, context, handle_of(numbers[0]));
  std::array<PyObject*, kNumbers> args;
  std::size_t made = 0;
  while (callee && made < count) {
    args[made + 1] = number_to_python(gil, numbers[made + 1]).release();
    if (args[made + 1] == nullptr) break;
    made++;
  }
  PyOwned result;
  if (callee && made == count)
    result = context.engine->methods.framed.vectorcall(callee.get(), args.data() + 1, count);
  while (made > 0) PyOwned::steal(args[made--]);
  if (!result) return deliver_error(gil, env, context);
  if (number_to_javascript(gil, result.get(), context.numbers[0])) {
    context.state[kOutcome] = kNumber;
    return nullptr;
  }
  return deliver_value(gil, env, context, result.get(), kCopies);
}
napi_value sync_call_refs(napi_env env, napi_callback_info info) {
  return call_with(env, info, kCopies, true);
}
napi_value sync_call_keep(napi_env env, napi_callback_info info) {
  return call_with(env, info, kKeeps, true);
}
napi_value sync_get(napi_env env, napi_callback_info info) { return get_attribute(env, info, kCopies); }
napi_value sync_get_keep(napi_env env, napi_callback_info info) { return get_attribute(env, info, kKeeps); }

napi_value sync_set(napi_env env, napi_callback_info info) {
  SyncArguments given(env, info);
  return perform_on(env, given, kCopies, [&](const Gil& gil, EngineContext& context, PyObject* object) {
    PyOwned name = name_argument(gil, env, context, given[1]);
    PyOwned value = name ? scalar_argument(gil, env, given[2]) : PyOwned();
    return value && py().PyObject_SetAttr(object, name.get(), value.get()) == 0 ? none() : PyOwned();
  });
}

napi_value sync_item(napi_env env, napi_callback_info info) {
  SyncArguments given(env, info);
  return perform_on(env, given, kCopies, [&](const Gil& gil, EngineContext&, PyObject* object) {
    PyOwned key = scalar_argument(gil, env, given[1]);
    return key ? PyOwned::steal(py().PyObject_GetItem(object, key.get())) : PyOwned();
  });
}

napi_value sync_set_item(napi_env env, napi_callback_info info) {
  SyncArguments given(env, info);
  return perform_on(env, given, kCopies, [&](const Gil& gil, EngineContext&, PyObject* object) {
    PyOwned key = scalar_argument(gil, env, given[1]);
    PyOwned value = key ? scalar_argument(gil, env, given[2]) : PyOwned();
    return value && py().PyObject_SetItem(object, key.get(), value.get()) == 0 ? none() : PyOwned();
  });
}

napi_value sync_module(napi_env env, napi_callback_info info) {
  SyncArguments given(env, info);
  return perform(env, given, kCopies, [&](const Gil& gil, EngineContext& context) {
    PyOwned name = name_argument(gil, env, context, given[0]);
    if (!name) return PyOwned();
    PyOwned module = PyOwned::steal(py().PyImport_GetModule(name.get()));
    const bool loaded = usable(gil, env, context, given[0], module.get());
    return loaded || py().PyErr_Occurred() != nullptr ? std::move(module) : none();
  });
}

napi_value sync_call_stream(napi_env env, napi_callback_info info) {
  SyncArguments given(env, info);
  const unsigned char* bytes = nullptr;
  std::size_t length = 0;
  if (given && !read_bytes(env, given[1], bytes, length))
    return throw_argument(env, "callStream needs a handle and a Uint8Array");
  return perform_on(env, given, kCopies, [&](const Gil& gil, EngineContext& context, PyObject* callee) {
    PyOwned operands = context.attachment->reader.read(gil, bytes, length, context.engine->limits);
    if (operands) {
      context.state[kFast]++;
    } else {
      operands = decode_slowly(context, copied(bytes, length));
    }
    if (!operands) return PyOwned();
    PyObject* positional =
        type_of(operands.get()) == py().PyTuple_Type ? py().PyTuple_GetItem(operands.get(), 0) : nullptr;
    PyObject* keywords = positional != nullptr ? py().PyTuple_GetItem(operands.get(), 1) : nullptr;
    const bool fits = keywords != nullptr && type_of(positional) == py().PyTuple_Type &&
                      (keywords == py()._Py_NoneStruct || type_of(keywords) == py().PyDict_Type);
    if (!fits) {
      py().PyErr_Clear();
      throw_argument(env, "the operands of callStream are no (args tuple, kwargs dict or None)");
      return PyOwned();
    }
    return context.engine->methods.framed.call(callee, positional,
                                               keywords == py()._Py_NoneStruct ? nullptr : keywords);
  });
}

napi_value sync_call_flat(napi_env env, napi_callback_info info) {
  SyncArguments given(env, info);
  if (!given) return nullptr;
  std::int32_t* state = given.context().state;
  state[kTaken] = 0;
  std::uint32_t slots = 0;
  if (napi_get_value_uint32(env, given[1], &slots) != napi_ok)
    return throw_argument(env, "callFlat needs a handle, a number of slots, a text and buffers");
  return perform_on(env, given, kCopies, [&](const Gil& gil, EngineContext& context, PyObject* callee) {
    state[kReading] = 1;
    const FlatReader::Arguments made = context.flat_reader.read(gil, env, slots, given[2], given[3]);
    state[kReading] = 0;
    if (!made.positional) {
      if (py().PyErr_Occurred() == nullptr) throw_argument(env, "the slots of callFlat make no sense");
      return PyOwned();
    }
    state[kTaken] = 1;
    state[kFast]++;
    return context.engine->methods.framed.call(callee, made.positional.get(), made.keywords.get());
  });
}

napi_value use_flat_memory(napi_env env, napi_callback_info info) {
  Arguments given(env, info);
  FlatReader& reader = given.context().flat_reader;
  if (reader.reading() || !reader.memory().adopt(env, given[0]))
    return throw_argument(env, "useMemory needs an ArrayBuffer, and no call that is reading one");
  return nullptr;
}

napi_value sync_run(napi_env env, napi_callback_info info) {
  SyncArguments given(env, info);
  if (!given) return nullptr;
  const unsigned char* bytes = nullptr;
  std::size_t length = 0;
  if (!read_bytes(env, given[0], bytes, length)) return throw_argument(env, "run needs a frame (Uint8Array)");
  EngineContext& context = given.context();
  SyncScope scope(context);
  if (scope.closed(env)) return nullptr;
  PyOwned frame = copied(bytes, length);
  PyOwned run_sync = PyOwned::share(context.engine->methods.run_sync.get());
  PyObject* args[] = {frame.get()};
  PyOwned reply = frame ? PyOwned::steal(py().vectorcall(run_sync.get(), args, 1)) : PyOwned();
  char* data = nullptr;
  Py_ssize_t reply_length = 0;
  if (!reply || py().PyBytes_AsStringAndSize(reply.get(), &data, &reply_length) != 0)
    return deliver_error(scope.token(), env, context);
  return deliver(env, context, kStream, data, static_cast<std::size_t>(reply_length));
}

napi_value sync_convert(napi_env env, napi_callback_info info) {
  SyncArguments given(env, info);
  if (!given) return nullptr;
  int mode = 0;
  if (napi_get_value_int32(env, given[1], &mode) != napi_ok)
    return throw_argument(env, "convert needs a handle and a mode");
  EngineContext& context = given.context();
  SyncScope scope(context);
  if (scope.closed(env)) return nullptr;
  PyOwned object = object_of(scope.token(), env, context, given[0]);
  if (!object) return nullptr;
  napi_value array = nullptr;
  if ((mode & 7) == kCopyMode) array = deliver_array_copy(scope.token(), env, context, object.get());
  if ((mode & 7) == kViewMode) array = deliver_array_view(scope.token(), env, context, object.get());
  bool pending = false;
  if (array != nullptr || (napi_is_exception_pending(env, &pending) == napi_ok && pending)) return array;
  std::string stream;
  if ((mode & 7) == kViewMode && write_view(scope.token(), *context.engine, object.get(), stream))
    return deliver(env, context, kStream, stream.data(), stream.size());
  return deliver_encoded(scope.token(), env, context, object.get(), mode);
}

napi_value sync_name(napi_env env, napi_callback_info info) {
  SyncArguments given(env, info);
  if (!given) return nullptr;
  EngineContext& context = given.context();
  SyncScope scope(context);
  if (scope.closed(env)) return nullptr;
  auto& names = context.engine->names;
  if (names.size() >= kMostNames) return nullptr;
  PyOwned name = name_argument(scope.token(), env, context, given[0]);
  if (!name) return deliver_error(scope.token(), env, context);
  PyObject* interned = name.release();
  py().PyUnicode_InternInPlace(&interned);
  names.push_back({PyOwned::steal(interned)});
  napi_value index;
  return napi_create_uint32(env, static_cast<std::uint32_t>(names.size() - 1), &index) == napi_ok ? index
                                                                                                  : nullptr;
}

napi_value sync_type_name(napi_env env, napi_callback_info info) {
  SyncArguments given(env, info);
  if (!given) return nullptr;
  EngineContext& context = given.context();
  SyncScope scope(context);
  std::uint32_t index = 0;
  if (napi_get_value_uint32(env, given[0], &index) != napi_ok)
    return throw_argument(env, "typeName needs an index");
  const std::string* name = context.engine->types.tell(scope.token(), index);
  napi_value text;
  if (name == nullptr || napi_create_string_utf8(env, name->data(), name->size(), &text) != napi_ok)
    return throw_argument(env, "there is no type with this index");
  return text;
}

}  // namespace isopy
