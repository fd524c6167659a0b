// The floor of the native figures: the least that Node-API and CPython allow.
//
// Linked to one Python, the GIL held for ever, nothing checked, no threads, no other types: not a
// library, a yardstick. Values cross one Node-API call each (naively), as in the simplest addon.
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <node_api.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace {

PyObject *add, *point, *held, *echo, *rows, *blob, *run_callbacks, *x_name, *m_name;
napi_env callback_env;
napi_value callback;

template <std::size_t N>
void arguments(napi_env env, napi_callback_info info, napi_value (&values)[N]) {
  std::size_t count = N;
  napi_get_cb_info(env, info, &count, values, nullptr, nullptr);
}

napi_value number(napi_env env, PyObject* object) {
  napi_value result;
  const double value = PyFloat_CheckExact(object) ? PyFloat_AS_DOUBLE(object) : PyLong_AsDouble(object);
  napi_create_double(env, value, &result);
  Py_DECREF(object);
  return result;
}

PyObject* from_number(napi_env env, napi_value value) {
  double number = 0;
  napi_get_value_double(env, value, &number);
  const auto whole = static_cast<long long>(number);
  return static_cast<double>(whole) == number ? PyLong_FromLongLong(whole) : PyFloat_FromDouble(number);
}

PyObject* from_text(napi_env env, napi_value value) {
  std::size_t length = 0;
  napi_get_value_string_utf8(env, value, nullptr, 0, &length);
  std::vector<char> text(length + 1);
  napi_get_value_string_utf8(env, value, text.data(), text.size(), &length);
  return PyUnicode_FromStringAndSize(text.data(), static_cast<Py_ssize_t>(length));
}

napi_value to_text(napi_env env, PyObject* object) {
  Py_ssize_t length = 0;
  const char* text = PyUnicode_AsUTF8AndSize(object, &length);
  napi_value result;
  napi_create_string_utf8(env, text, static_cast<std::size_t>(length), &result);
  return result;
}

napi_value to_object(napi_env env, PyObject* dict) {
  napi_value result;
  napi_create_object(env, &result);
  PyObject *key, *value;
  Py_ssize_t at = 0;
  while (PyDict_Next(dict, &at, &key, &value)) {
    Py_INCREF(value);
    napi_set_property(env, result, to_text(env, key), number(env, value));
  }
  return result;
}

napi_value empty(napi_env, napi_callback_info) { return nullptr; }

napi_value call(napi_env env, napi_callback_info info) {
  napi_value values[2];
  arguments(env, info, values);
  PyObject* args[] = {from_number(env, values[0]), from_number(env, values[1])};
  PyObject* result = PyObject_Vectorcall(add, args, 2, nullptr);
  Py_DECREF(args[0]);
  Py_DECREF(args[1]);
  return number(env, result);
}

napi_value attribute(napi_env env, napi_callback_info) { return number(env, PyObject_GetAttr(point, x_name)); }
napi_value method(napi_env env, napi_callback_info) {
  return number(env, PyObject_VectorcallMethod(m_name, &point, 1, nullptr));
}
napi_value held_method(napi_env env, napi_callback_info) { return number(env, PyObject_CallNoArgs(held)); }

napi_value echo_text(napi_env env, napi_callback_info info) {
  napi_value values[1];
  arguments(env, info, values);
  PyObject* text = from_text(env, values[0]);
  PyObject* result = PyObject_CallOneArg(echo, text);
  napi_value back = to_text(env, result);
  Py_DECREF(text);
  Py_DECREF(result);
  return back;
}

napi_value echo_dict(napi_env env, napi_callback_info info) {
  napi_value values[1], keys;
  arguments(env, info, values);
  napi_get_property_names(env, values[0], &keys);
  std::uint32_t count = 0;
  napi_get_array_length(env, keys, &count);
  PyObject* dict = PyDict_New();
  for (std::uint32_t i = 0; i < count; i++) {
    napi_value key, value;
    napi_get_element(env, keys, i, &key);
    napi_get_property(env, values[0], key, &value);
    PyObject *name = from_text(env, key), *item = from_number(env, value);
    PyDict_SetItem(dict, name, item);
    Py_DECREF(name);
    Py_DECREF(item);
  }
  PyObject* result = PyObject_CallOneArg(echo, dict);
  napi_value back = to_object(env, result);
  Py_DECREF(dict);
  Py_DECREF(result);
  return back;
}

napi_value dicts(napi_env env, napi_callback_info) {
  napi_value result;
  const Py_ssize_t count = PyList_GET_SIZE(rows);
  napi_create_array_with_length(env, static_cast<std::size_t>(count), &result);
  for (Py_ssize_t i = 0; i < count; i++) {
    napi_handle_scope scope;
    napi_open_handle_scope(env, &scope);
    napi_set_element(env, result, static_cast<std::uint32_t>(i), to_object(env, PyList_GET_ITEM(rows, i)));
    napi_close_handle_scope(env, scope);
  }
  return result;
}

napi_value bytes_in(napi_env env, napi_callback_info info) {
  napi_value values[1];
  arguments(env, info, values);
  void* data = nullptr;
  std::size_t length = 0;
  napi_get_typedarray_info(env, values[0], nullptr, &length, &data, nullptr, nullptr);
  PyObject* bytes = PyBytes_FromStringAndSize(static_cast<char*>(data), static_cast<Py_ssize_t>(length));
  napi_value result;
  napi_create_double(env, static_cast<double>(PyBytes_GET_SIZE(bytes)), &result);
  Py_DECREF(bytes);
  return result;
}

napi_value bytes_out(napi_env env, napi_callback_info) {
  napi_value result, buffer;
  const auto length = static_cast<std::size_t>(PyBytes_GET_SIZE(blob));
  void* copy = std::malloc(length);
  std::memcpy(copy, PyBytes_AS_STRING(blob), length);
  napi_create_external_arraybuffer(env, copy, length, [](napi_env, void* data, void*) { std::free(data); }, nullptr,
                                   &buffer);
  napi_create_typedarray(env, napi_uint8_array, length, buffer, 0, &result);
  return result;
}

PyObject* call_javascript(PyObject*, PyObject* const* args, Py_ssize_t) {
  napi_handle_scope scope;
  napi_open_handle_scope(callback_env, &scope);
  napi_value argument, global;
  napi_create_double(callback_env, PyLong_AsDouble(args[0]), &argument);
  napi_get_global(callback_env, &global);
  napi_call_function(callback_env, global, callback, 1, &argument, nullptr);
  napi_close_handle_scope(callback_env, scope);
  Py_RETURN_NONE;
}
PyMethodDef callback_method = {
    "callback", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(&call_javascript)), METH_FASTCALL, nullptr};

napi_value callbacks(napi_env env, napi_callback_info info) {
  napi_value values[2];
  arguments(env, info, values);
  callback_env = env;
  callback = values[0];
  PyObject *function = PyCFunction_New(&callback_method, nullptr), *count = from_number(env, values[1]);
  PyObject* args[] = {function, count};
  Py_XDECREF(PyObject_Vectorcall(run_callbacks, args, 2, nullptr));
  Py_DECREF(function);
  Py_DECREF(count);
  return nullptr;
}

napi_value start(napi_env env, napi_callback_info info) {
  napi_value values[1];
  arguments(env, info, values);
  Py_InitializeEx(0);
  PyObject* folder = from_text(env, values[0]);
  PyList_Insert(PySys_GetObject("path"), 0, folder);
  PyObject* module = PyImport_ImportModule("measured");
  add = PyObject_GetAttrString(module, "add");
  echo = PyObject_GetAttrString(module, "echo");
  point = PyObject_GetAttrString(module, "POINT");
  held = PyObject_GetAttrString(point, "m");
  rows = PyObject_GetAttrString(module, "DICTS");
  blob = PyObject_GetAttrString(module, "BYTES");
  run_callbacks = PyObject_GetAttrString(module, "callbacks");
  x_name = PyUnicode_InternFromString("x");
  m_name = PyUnicode_InternFromString("m");
  return nullptr;
}

}  // namespace

NAPI_MODULE_INIT() {
  constexpr struct {
    const char* name;
    napi_callback function;
  } functions[] = {{"start", &start},         {"empty", &empty},         {"call", &call},       {"attribute", &attribute},
                   {"method", &method},       {"held", &held_method},    {"echoText", &echo_text}, {"echoDict", &echo_dict},
                   {"dicts", &dicts},         {"bytesIn", &bytes_in},    {"bytesOut", &bytes_out}, {"callbacks", &callbacks}};
  for (const auto& one : functions) {
    napi_value function;
    napi_create_function(env, one.name, NAPI_AUTO_LENGTH, one.function, nullptr, &function);
    napi_set_named_property(env, exports, one.name, function);
  }
  return exports;
}
