#include "sync_scope.h"

#include "forking.h"
#include "host_object.h"
#include "interpreter.h"
#include "scalars.h"

namespace isopy {

namespace {

/// JavaScript need not hear of a callback that Python dropped at once, but must in the end.
constexpr Py_ssize_t kManyDropped = 64;

void throw_closed(napi_env env) { napi_throw_error(env, "ERR_CLOSED", "The engine is closed."); }

PyThreadState* enter(JsThread& js, PyThreadState* state) {
  // Only this thread writes them, so no locked instruction is needed (20 cycles each).
  js.epoch.store(js.epoch.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  js.depth.store(js.depth.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  return state;
}

void name_engine(Attachment& attachment, PyObject* engine) {
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

/// What the call printed is delivered before its caller continues; dropped callbacks go in batches. Whether
/// some of those are left.
bool send_waiting(const Gil& gil, Engine& engine) {
  EngineMethods& methods = engine.methods;
  if (!methods.engine) return false;
  const Py_ssize_t dropped = var_size(methods.dropped.get());
  if (var_size(methods.printed.get()) == 0 && dropped < kManyDropped) return dropped != 0;
  PyOwned flush = PyOwned::share(methods.flush.get());
  if (!PyOwned::steal(py().vectorcall(flush.get(), nullptr, 0))) report_broken_engine(gil, engine);
  return false;
}

}  // namespace

Arguments::Arguments(napi_env env, napi_callback_info info) {
  void* data = nullptr;
  napi_get_cb_info(env, info, &count_, values_, nullptr, &data);
  if (count_ > kFew) {
    many_.reset(new napi_value[count_]);
    values_ = many_.get();
    napi_get_cb_info(env, info, &count_, values_, nullptr, &data);
  }
  context_ = static_cast<EngineContext*>(data);
}

SyncArguments::SyncArguments(napi_env env, napi_callback_info info) : Arguments(env, info) {
  Engine& engine = *context().engine;
  if (!engine.ready() || engine.closed()) {
    throw_closed(env);
  } else if (engine.interpreter != Interpreter::main()) {
    // Its thread state would have to be dropped on this thread before the interpreter ends.
    napi_throw_error(env, "ERR_UNSUPPORTED", "An isolated interpreter takes no synchronous calls.");
  } else {
    open_ = true;
    attachment_of(context());
  }
}

HandleId handle_of(double number) {
  return number >= 1 && number <= kMaxSafeInteger ? static_cast<HandleId>(number) : 0;
}

HandleId handle_argument(napi_env env, napi_value value) {
  double number = 0;
  return napi_get_value_double(env, value, &number) == napi_ok ? handle_of(number) : 0;
}

SyncScope::SyncScope(EngineContext& context)
    : context_(context), gil_(enter(context.engine->js, context.attachment->state)) {
  context.engine->interpreter->dropped.drain(gil_.token());
  PyObject* engine = context.engine->methods.engine.get();
  PyObject* named = context.attachment->lane_engine;
  if (engine == nullptr || named == engine) return;
  if (named != nullptr) outer_ = PyOwned::share(named);
  name_engine(*context.attachment, engine);
}

SyncScope::~SyncScope() {
  if (in_forked_child()) end_forked_child();
  Engine& engine = *context_.engine;
  const bool dropped = send_waiting(gil_.token(), engine);
  // A callback of one engine called another: the rest of the outer call is the first one's again.
  if (outer_) name_engine(*context_.attachment, outer_.get());
  engine.js.depth.store(engine.js.depth.load(std::memory_order_relaxed) - 1, std::memory_order_release);
  context_.state[kWaiting] = engine.outbox.waiting() ? kEvents : dropped ? kDropped : kNothing;
}

bool SyncScope::closed(napi_env env) const {
  if (context_.engine->methods.engine) return false;
  throw_closed(env);
  return true;
}

}  // namespace isopy
