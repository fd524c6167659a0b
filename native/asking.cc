#include "asking.h"

#include <cstring>

#include "forking.h"
#include "handle_scope.h"

namespace isopy {

namespace {

/// On the JS thread, inside a sync call, detached: runs the JS half now. Null, or the problem.
const char* ask_directly(Engine& engine, const std::string& frame, std::string& answer) {
  napi_env env = engine.js.env;
  HandleScope scope(env);
  if (!scope.open()) return "stopping";
  napi_value buffer, view, on_ask, global, result = nullptr;
  void* data = nullptr;
  bool ok = napi_create_arraybuffer(env, frame.size(), &data, &buffer) == napi_ok;
  if (ok && !frame.empty()) std::memcpy(data, frame.data(), frame.size());
  ok = ok && napi_create_typedarray(env, napi_uint8_array, frame.size(), buffer, 0, &view) == napi_ok &&
       napi_get_reference_value(env, engine.js.on_ask, &on_ask) == napi_ok &&
       napi_get_global(env, &global) == napi_ok &&
       napi_call_function(env, global, on_ask, 1, &view, &result) == napi_ok;
  if (!ok) return why_ours_failed(env);
  bool typed = false;
  std::size_t length = 0;
  if (napi_is_typedarray(env, result, &typed) != napi_ok || !typed ||
      napi_get_typedarray_info(env, result, nullptr, &length, &data, nullptr, nullptr) != napi_ok)
    return "stopping";
  answer.assign(static_cast<const char*>(data), length);
  return nullptr;
}

}  // namespace

const char* why_ours_failed(napi_env env) {
  napi_value thrown;
  napi_valuetype type = napi_undefined;
  bool pending = false;
  const bool threw = napi_is_exception_pending(env, &pending) == napi_ok && pending &&
                     napi_get_and_clear_last_exception(env, &thrown) == napi_ok &&
                     napi_typeof(env, thrown, &type) == napi_ok && type == napi_object;
  return threw ? "full" : "stopping";
}

bool ask_javascript(const Gil& gil, const std::shared_ptr<Engine>& engine, const std::string& frame,
                    std::string& answer, const char*& problem) {
  if (in_forked_child()) {
    problem = "forked";
    return false;
  }
  GilRelease detached(gil);
  if (engine->closed()) {
    problem = "closed";
    return false;
  }
  if (pthread_equal(pthread_self(), engine->js.thread) == 0)
    return engine->wait_for_answer(frame, answer, problem);
  // While JavaScript runs, other threads' questions can be answered again by nested sync calls only;
  // the depth stays, the epoch moves when the callback calls back.
  problem = ask_directly(*engine, frame, answer);
  return problem == nullptr;
}

void raise_unanswered(const Gil&, const char* problem, int bound_ms) {
  if (std::strcmp(problem, "full") == 0) {
    py().PyErr_SetString(py().PyExc_RecursionError,
                         "maximum recursion depth exceeded: the JavaScript stack is full");
    return;
  }
  std::string code = "ERR_CLOSED", message = "The engine was closed while Python waited for JavaScript.",
              hint = "";
  if (std::strcmp(problem, "deadlock") == 0) {
    code = "ERR_DEADLOCK";
    message =
        "JavaScript did not answer for " + std::to_string(bound_ms) +
        " ms: its thread is blocked in a synchronous call into Python, which this call may be waiting for.";
    hint =
        "Start the work with `isopy` (await) instead of `isopy/sync`, or do not wait for another thread "
        "inside a synchronous call.";
  } else if (std::strcmp(problem, "forked") == 0) {
    code = "ERR_UNSUPPORTED";
    message = "This process is a fork of the one that JavaScript runs in; it cannot be called from here.";
    hint = "Do it in the parent, or start the process with multiprocessing's spawn method.";
  } else if (std::strcmp(problem, "stopping") == 0) {
    code = "ERR_ENGINE_LOST";
    message = "The JavaScript environment is stopping and runs no more code.";
  }
  PyOwned module = PyOwned::steal(py().PyImport_ImportModule("_isopy.errors"));
  PyOwned type =
      module ? PyOwned::steal(py().PyObject_GetAttrString(module.get(), "EngineError")) : PyOwned();
  auto text = [](const std::string& s) {
    return PyOwned::steal(py().PyUnicode_FromStringAndSize(s.data(), static_cast<Py_ssize_t>(s.size())));
  };
  PyOwned a = text(code), b = text(message), c = text(hint);
  if (type && a && b && c) {
    PyObject* args[] = {a.get(), b.get(), c.get()};
    PyOwned error = PyOwned::steal(py().vectorcall(type.get(), args, 3));
    if (error) return py().PyErr_SetObject(type.get(), error.get());
  }
  py().PyErr_Clear();
  py().PyErr_SetString(py().PyExc_RuntimeError, (code + ": " + message).c_str());
}

}  // namespace isopy
