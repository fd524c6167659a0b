/// Registration: `open`, `running`, `beThread`, `expel`, `expelAll` and `farewell`; everything else hangs on
/// the engine object that `open` returns. Arguments are checked here; nothing a caller passes may end the
/// process.
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <mutex>

#include "backing_store.h"
#include "departure.h"
#include "environment.h"
#include "freed_memory.h"
#include "host_object.h"
#include "interpreter.h"
#include "isolated.h"
#include "lent_function.h"
#include "lent_memory.h"
#include "pool.h"
#include "runtime.h"
#include "sync_calls.h"
#include "sync_refs.h"
#include "threads.h"
#include "variables.h"

namespace isopy {

namespace {

/// At the end of an environment its engines get this long to run exit handlers.
constexpr auto kFarewell = std::chrono::milliseconds(500);

bool read_text(napi_env env, napi_value object, const char* name, std::string& text) {
  napi_value value;
  std::size_t length = 0;
  if (napi_get_named_property(env, object, name, &value) != napi_ok ||
      napi_get_value_string_utf8(env, value, nullptr, 0, &length) != napi_ok) {
    return false;
  }
  text.resize(length + 1);
  napi_get_value_string_utf8(env, value, text.data(), length + 1, &length);
  text.resize(length);
  return true;
}

bool read_flag(napi_env env, napi_value object, const char* name, bool& flag) {
  napi_value value;
  return napi_get_named_property(env, object, name, &value) == napi_ok &&
         napi_get_value_bool(env, value, &flag) == napi_ok;
}

/// A positive number that fits 53 bits.
bool read_number(napi_env env, napi_value object, const char* name, double& number) {
  napi_value value;
  return napi_get_named_property(env, object, name, &value) == napi_ok &&
         napi_get_value_double(env, value, &number) == napi_ok && number >= 1 && number <= 9007199254740991.0;
}

bool is_function(napi_env env, napi_value value) {
  napi_valuetype type;
  return napi_typeof(env, value, &type) == napi_ok && type == napi_function;
}

/// Arguments and the context of an engine's method.
struct Call {
  napi_value args[3] = {};
  std::size_t count = 3;
  EngineContext* context = nullptr;
  Call(napi_env env, napi_callback_info info) {
    void* data = nullptr;
    napi_get_cb_info(env, info, &count, args, nullptr, &data);
    context = static_cast<EngineContext*>(data);
  }
};

std::string copy(const unsigned char* data, std::size_t length) {
  return {reinterpret_cast<const char*>(data), length};
}

/// Starts Python if needed and then the engine, on our own threads; ends with kOpened or kOpenFailed.
void begin_opening(const std::shared_ptr<Engine>& engine, PythonConfig config, Isolation isolation,
                   std::string setup, std::string options) {
  auto enter = [engine, setup = std::move(setup), options = std::move(options)](const Gil& gil) {
    // Given up meanwhile: closing has run already, and nobody would drop what is opened now.
    if (engine->closed()) return engine->opened(false, "the start was given up");
    std::string hello, problem;
    const bool ok = open_engine(gil, engine, setup, options, hello, problem);
    engine->opened(ok, ok ? hello : problem);
  };
  auto body = [engine, config = std::move(config), isolation, enter = std::move(enter)] {
    Interpreter& interpreter = *engine->interpreter;
    PythonStart start = ensure_python(config);
    if (start.ok && isolation == Isolation::kMain) {
      interpreter.post(enter);
    } else if (start.ok) {
      auto begin = [&](const Gil& gil) {
        enter(gil);
        if (engine->closed()) interpreter.retire({});
      };
      live_isolated(engine->interpreter, config, isolation, begin,
                    [&](const std::string& problem) { engine->opened(false, problem); });
    } else {
      if (isolation != Isolation::kMain) interpreter.finish();
      engine->opened(false, start.error);
    }
  };
  if (!start_thread(std::move(body)))
    engine->opened(false, "the system refused to start a thread with a 16 MB stack");
}

/// Any thread: ends the engine on its control thread and then says so. Posted once.
void begin_closing(const std::shared_ptr<Engine>& engine) {
  if (!engine->start_closing()) return;
  auto finish = [engine] {
    engine->shut();
    engine->outbox.push({kClosed, 0, {}});
    engine->finish_closing();
  };
  const bool posted =
      running_python() != nullptr && engine->interpreter->post([engine, finish](const Gil& gil) {
        close_engine(gil, *engine);
        if (engine->interpreter == Interpreter::main()) {
          finish();
          engine->exports.drop_unclaimed(gil);
          engine->drop_methods();
          return;
        }
        engine->shut();  // wakes the threads that wait for JavaScript
        end_threads(gil, *engine);
        engine->exports.drop_unclaimed(gil);
        engine->drop_methods();
        engine->interpreter->retire(finish);
      });
  if (!posted) finish();
}

/// Whether there is something to drain already; `alone` says that the frame's one program is all that is in
/// flight, so that waiting for it a moment holds up nobody.
napi_value engine_submit(napi_env env, napi_callback_info info) {
  Call call(env, info);
  const unsigned char* data = nullptr;
  std::size_t length = 0;
  bool alone = false;
  if (!read_bytes(env, call.args[0], data, length) || length == 0 ||
      napi_get_value_bool(env, call.args[1], &alone) != napi_ok)
    return throw_argument(env, "submit needs a frame (Uint8Array) and a boolean");
  submit_frame(call.context->engine, copy(data, length));
  napi_value result;
  napi_get_boolean(env, alone && call.context->engine->outbox.await_reply(), &result);
  return result;
}

napi_value engine_control(napi_env env, napi_callback_info info) {
  Call call(env, info);
  std::uint32_t kind = 0;
  const unsigned char* data = nullptr;
  std::size_t length = 0;
  if (napi_get_value_uint32(env, call.args[0], &kind) != napi_ok ||
      !read_bytes(env, call.args[1], data, length)) {
    return throw_argument(env, "control needs a kind and a frame (Uint8Array)");
  }
  if (running_python() == nullptr) return nullptr;
  const std::shared_ptr<Engine>& engine = call.context->engine;
  engine->interpreter->post([engine, kind, frame = copy(data, length)](const Gil& gil) {
    if (engine->methods.engine && !engine->closed())
      receive_frame(gil, *engine, static_cast<int>(kind), frame);
  });
  return nullptr;
}

napi_value engine_answer(napi_env env, napi_callback_info info) {
  Call call(env, info);
  double token = 0;
  const unsigned char* data = nullptr;
  std::size_t length = 0;
  if (napi_get_value_double(env, call.args[0], &token) != napi_ok ||
      !read_bytes(env, call.args[1], data, length)) {
    return throw_argument(env, "answer needs a token and a frame (Uint8Array)");
  }
  call.context->engine->answer(static_cast<std::uint64_t>(token), copy(data, length));
  return nullptr;
}

/// The number of messages, then (kind, token, length) of each as float64, then their bytes: in the inbox
/// (the result is true) or in an ArrayBuffer of their own.
napi_value engine_drain(napi_env env, napi_callback_info info) {
  Call call(env, info);
  release_dropped_functions(call.context->engine->js);
  bool use_inbox = false;
  if (napi_get_value_bool(env, call.args[0], &use_inbox) != napi_ok)
    return throw_argument(env, "drain needs a boolean");
  const std::vector<Message> messages = call.context->engine->outbox.take();
  call.context->state[kWaiting] = 0;
  if (messages.empty()) return nullptr;
  std::size_t size = sizeof(double) * (1 + 3 * messages.size());
  for (const Message& message : messages) size += message.bytes.size();
  void* memory = call.context->inbox;
  napi_value result;
  if (use_inbox && size <= kInboxBytes) {
    napi_get_boolean(env, true, &result);
  } else {
    const std::size_t whole = (size + 7) & ~std::size_t{7};
    result = new_memory(env, whole, &memory);
    if (result == nullptr) return nullptr;
    std::memset(static_cast<char*>(memory) + size, 0, whole - size);
  }
  auto* head = static_cast<double*>(memory);
  auto* bytes = static_cast<char*>(memory) + sizeof(double) * (1 + 3 * messages.size());
  *head++ = static_cast<double>(messages.size());
  for (const Message& message : messages) {
    *head++ = message.kind;
    *head++ = static_cast<double>(message.token);
    *head++ = static_cast<double>(message.bytes.size());
    if (!message.bytes.empty()) std::memcpy(bytes, message.bytes.data(), message.bytes.size());
    bytes += message.bytes.size();
  }
  return result;
}

/// Has a thread of Python send what waits for that.
napi_value engine_flush(napi_env env, napi_callback_info info) {
  Call call(env, info);
  if (running_python() != nullptr) request_work(call.context->engine);
  return nullptr;
}

napi_value engine_keep_alive(napi_env env, napi_callback_info info) {
  Call call(env, info);
  bool alive = false;
  if (napi_get_value_bool(env, call.args[0], &alive) != napi_ok)
    return throw_argument(env, "keepAlive needs a boolean");
  call.context->engine->outbox.keep_alive(env, alive);
  return nullptr;
}

napi_value engine_close(napi_env env, napi_callback_info info) {
  Call call(env, info);
  begin_closing(call.context->engine);
  return nullptr;
}

/// After kClosed: nothing will be pushed that matters.
napi_value engine_release(napi_env env, napi_callback_info info) {
  Call call(env, info);
  if (call.context->attachment != nullptr) {
    GilAcquire gil(call.context->attachment->state);
    forget_shapes(*call.context);
  }
  call.context->engine->outbox.close();
  return nullptr;
}

/// Blocks until kOpened or kOpenFailed is in the outbox (at most `milliseconds`); whether it is.
napi_value engine_wait_open(napi_env env, napi_callback_info info) {
  Call call(env, info);
  std::uint32_t milliseconds = 0;
  if (napi_get_value_uint32(env, call.args[0], &milliseconds) != napi_ok)
    return throw_argument(env, "waitOpen needs milliseconds");
  napi_value result;
  napi_get_boolean(env, call.context->engine->wait_opened(std::chrono::milliseconds(milliseconds)), &result);
  return result;
}

napi_value engine_wait_closed(napi_env env, napi_callback_info info) {
  Call call(env, info);
  std::uint32_t milliseconds = 0;
  if (napi_get_value_uint32(env, call.args[0], &milliseconds) != napi_ok)
    return throw_argument(env, "waitClosed needs milliseconds");
  napi_value result;
  napi_get_boolean(env, call.context->engine->wait_closed(std::chrono::milliseconds(milliseconds)), &result);
  return result;
}

/// A handle or export id: a positive integer of 53 bits.
bool read_id(napi_env env, napi_value value, std::uint64_t& id) {
  double number = 0;
  if (napi_get_value_double(env, value, &number) != napi_ok || !(number >= 1) || number > 9007199254740991.0)
    return false;
  id = static_cast<std::uint64_t>(number);
  return true;
}

/// An ArrayBuffer over what Python exported, or null when there is no such export (any more).
napi_value engine_claim(napi_env env, napi_callback_info info) {
  Call call(env, info);
  std::uint64_t id = 0;
  if (!read_id(env, call.args[0], id)) return throw_argument(env, "claim needs the id of an export");
  bool copy = false;
  if (napi_get_value_bool(env, call.args[1], &copy) != napi_ok)
    return throw_argument(env, "claim needs to know whether to copy");
  EngineContext& context = *call.context;
  std::unique_ptr<Export> taken = context.engine->exports.take(id);
  if (taken == nullptr) return nullptr;
  return claim_export(env, context.environment->claims, id, std::move(taken),
                      context.external_memory && !copy);
}

napi_value engine_unclaim(napi_env env, napi_callback_info info) {
  Call call(env, info);
  std::uint64_t id = 0;
  bool is_buffer = false;
  if (!read_id(env, call.args[0], id) || napi_is_arraybuffer(env, call.args[1], &is_buffer) != napi_ok ||
      !is_buffer) {
    return throw_argument(env, "unclaim needs the id of an export and its ArrayBuffer");
  }
  napi_value result;
  napi_get_boolean(env, end_export(env, *call.context->environment->claims, id, call.args[1]), &result);
  return result;
}

struct Named {
  const char* name;
  napi_callback function;
};
constexpr Named kEngineMethods[] = {
    {"submit", &engine_submit},
    {"control", &engine_control},
    {"answer", &engine_answer},
    {"drain", &engine_drain},
    {"flush", &engine_flush},
    {"keepAlive", &engine_keep_alive},
    {"close", &engine_close},
    {"release", &engine_release},
    {"waitOpen", &engine_wait_open},
    {"waitClosed", &engine_wait_closed},
    {"call", &sync_call},
    {"callNumbers", &sync_call_numbers},
    {"callRefs", &sync_call_refs},
    {"callKeep", &sync_call_keep},
    {"get", &sync_get},
    {"getKeep", &sync_get_keep},
    {"set", &sync_set},
    {"item", &sync_item},
    {"setItem", &sync_set_item},
    {"module", &sync_module},
    {"run", &sync_run},
    {"callStream", &sync_call_stream},
    {"callFlat", &sync_call_flat},
    {"useMemory", &use_flat_memory},
    {"name", &sync_name},
    {"knownRef", &known_ref},
    {"bindRef", &bind_ref},
    {"unbindRef", &unbind_ref},
    {"sweepRefs", &sweep_refs},
    {"liveRefs", &live_refs},
    {"forgetRefs", &forget_refs},
    {"typeName", &sync_type_name},
    {"convert", &sync_convert},
    {"lend", &lend_memory},
    {"endLoans", &end_loans},
    {"claim", &engine_claim},
    {"unclaim", &engine_unclaim},
};

napi_value make_engine_object(napi_env env, EngineContext& context) {
  napi_value object, state_buffer, state, scratch_buffer, scratch, inbox_buffer, inbox, heads;
  void *state_memory = nullptr, *scratch_memory = nullptr, *inbox_memory = nullptr;
  if (napi_create_object(env, &object) != napi_ok ||
      napi_create_arraybuffer(env, kStateSlots * sizeof(std::int32_t), &state_memory, &state_buffer) !=
          napi_ok ||
      napi_create_typedarray(env, napi_int32_array, kStateSlots, state_buffer, 0, &state) != napi_ok ||
      napi_create_arraybuffer(env, kScratchBytes, &scratch_memory, &scratch_buffer) != napi_ok ||
      napi_create_typedarray(env, napi_uint8_array, kScratchBytes, scratch_buffer, 0, &scratch) != napi_ok ||
      napi_set_named_property(env, object, "state", state) != napi_ok ||
      napi_set_named_property(env, object, "scratch", scratch) != napi_ok ||
      napi_create_arraybuffer(env, kInboxBytes, &inbox_memory, &inbox_buffer) != napi_ok ||
      napi_create_typedarray(env, napi_uint8_array, kInboxBytes, inbox_buffer, 0, &inbox) != napi_ok ||
      napi_create_typedarray(env, napi_float64_array, kInboxBytes / 8, inbox_buffer, 0, &heads) != napi_ok ||
      napi_set_named_property(env, object, "inbox", inbox) != napi_ok ||
      napi_set_named_property(env, object, "heads", heads) != napi_ok) {
    return nullptr;
  }
  napi_value numbers_buffer, numbers;
  void* numbers_memory = nullptr;
  if (napi_create_arraybuffer(env, kNumbers * sizeof(double), &numbers_memory, &numbers_buffer) != napi_ok ||
      napi_create_typedarray(env, napi_float64_array, kNumbers, numbers_buffer, 0, &numbers) != napi_ok ||
      napi_set_named_property(env, object, "numbers", numbers) != napi_ok) {
    return nullptr;
  }
  context.numbers = static_cast<double*>(numbers_memory);
  napi_value external, holds;
  if (napi_get_boolean(env, context.external_memory, &external) != napi_ok ||
      napi_set_named_property(env, object, "externalMemory", external) != napi_ok ||
      napi_get_boolean(env, BackingStore::can_hold(env), &holds) != napi_ok ||
      napi_set_named_property(env, object, "holdsMemory", holds) != napi_ok) {
    return nullptr;
  }
  context.state = static_cast<std::int32_t*>(state_memory);
  std::fill_n(context.state, static_cast<int>(kStateSlots), 0);
  context.scratch = static_cast<unsigned char*>(scratch_memory);
  context.inbox = static_cast<unsigned char*>(inbox_memory);
  for (const Named& method : kEngineMethods) {
    napi_value function;
    if (napi_create_function(env, method.name, NAPI_AUTO_LENGTH, method.function, &context, &function) !=
            napi_ok ||
        napi_set_named_property(env, object, method.name, function) != napi_ok) {
      return nullptr;
    }
  }
  return napi_create_reference(env, object, 1, &context.keep) == napi_ok ? object : nullptr;
}

napi_value open(napi_env env, napi_callback_info info) {
  napi_value args[7];  // config, setup, options, ready, ask, callee, answer
  std::size_t count = 7;
  napi_get_cb_info(env, info, &count, args, nullptr, nullptr);
  PythonConfig config;
  if (count < 7 || !read_text(env, args[0], "library", config.library) ||
      !read_text(env, args[0], "program", config.program) ||
      !read_text(env, args[0], "package", config.package) ||
      !read_text(env, args[0], "cache", config.cache) ||
      !read_flag(env, args[0], "deepbind", config.deepbind)) {
    return throw_argument(
        env,
        "open needs { library, program, package, cache, deepbind, deadlockMs }, setup, options, "
        "ready, ask, callee and answer");
  }
  config.environment = copy_variables();
  int isolation = 0;
  napi_value wanted;
  if (napi_get_named_property(env, args[0], "isolation", &wanted) != napi_ok ||
      napi_get_value_int32(env, wanted, &isolation) != napi_ok || isolation < 0 || isolation > 2) {
    return throw_argument(env, "open needs an isolation: 0 none, 1 with the shared GIL, 2 with its own");
  }
  const unsigned char *setup = nullptr, *options = nullptr;
  std::size_t setup_length = 0, options_length = 0;
  if (!read_bytes(env, args[1], setup, setup_length) || !read_bytes(env, args[2], options, options_length) ||
      !std::all_of(args + 3, args + 7, [env](napi_value value) { return is_function(env, value); })) {
    return throw_argument(env, "open needs the setup and the options as Uint8Arrays, and four functions");
  }
  Environment* environment = nullptr;
  napi_get_instance_data(env, reinterpret_cast<void**>(&environment));
  auto context = std::make_unique<EngineContext>();
  context->environment = environment;
  context->engine =
      std::make_shared<Engine>(isolation == 0 ? Interpreter::main() : std::make_shared<Interpreter>());
  Engine& engine = *context->engine;
  double deadlock_ms = 0, max_bytes = 0, max_nodes = 0, max_depth = 0;
  if (!read_number(env, args[0], "deadlockMs", deadlock_ms) ||
      !read_number(env, args[0], "maxBytes", max_bytes) ||
      !read_number(env, args[0], "maxNodes", max_nodes) ||
      !read_number(env, args[0], "maxDepth", max_depth)) {
    return throw_argument(env, "open needs deadlockMs, maxBytes, maxNodes and maxDepth as positive numbers");
  }
  engine.deadlock_ms = static_cast<int>(std::min(deadlock_ms, 1e9));
  engine.limits = {static_cast<std::size_t>(max_bytes), static_cast<std::size_t>(max_nodes),
                   static_cast<std::size_t>(max_depth)};
  bool share = false;
  if (!read_flag(env, args[0], "externalMemory", share))
    return throw_argument(env, "open needs externalMemory as a boolean");
  context->external_memory = share && external_memory_allowed(env);
  engine.js.thread = pthread_self();
  engine.js.env = env;
  engine.js.id = environment->thread_id;
  napi_value object = make_engine_object(env, *context);
  if (object == nullptr || napi_create_reference(env, args[4], 1, &engine.js.on_ask) != napi_ok ||
      napi_create_reference(env, args[5], 1, &engine.js.callee) != napi_ok ||
      napi_create_reference(env, args[6], 1, &engine.js.answer_with) != napi_ok ||
      !engine.outbox.open(env, args[3])) {
    napi_throw_error(env, "ERR_BACKEND_UNAVAILABLE", "Node-API refused to create the engine object.");
    return nullptr;
  }
  std::shared_ptr<Engine> shared = context->engine;
  register_engine(shared);
  environment->engines.push_back(std::move(context));
  begin_opening(shared, config, static_cast<Isolation>(isolation), copy(setup, setup_length),
                copy(options, options_length));
  return object;
}

/// `{ library, program }` of the Python that runs in this process, or null.
napi_value running(napi_env env, napi_callback_info) {
  napi_value result, text;
  const PythonConfig* config = running_python();
  if (config == nullptr) {
    napi_get_null(env, &result);
    return result;
  }
  napi_create_object(env, &result);
  napi_create_string_utf8(env, config->library.c_str(), NAPI_AUTO_LENGTH, &text);
  napi_set_named_property(env, result, "library", text);
  napi_create_string_utf8(env, config->program.c_str(), NAPI_AUTO_LENGTH, &text);
  napi_set_named_property(env, result, "program", text);
  return result;
}

/// The `worker_threads` id of this environment, by which another one can expel its thread.
napi_value be_thread(napi_env env, napi_callback_info info) {
  napi_value id;
  std::size_t count = 1;
  Environment* environment = nullptr;
  napi_get_cb_info(env, info, &count, &id, nullptr, nullptr);
  napi_get_instance_data(env, reinterpret_cast<void**>(&environment));
  if (count < 1 || napi_get_value_int64(env, id, &environment->thread_id) != napi_ok)
    return throw_argument(env, "beThread needs a thread id");
  return nullptr;
}

/// The worker with this thread id is being terminated.
napi_value expel_thread(napi_env env, napi_callback_info info) {
  napi_value id;
  std::size_t count = 1;
  std::int64_t thread_id = 0;
  napi_get_cb_info(env, info, &count, &id, nullptr, nullptr);
  if (count < 1 || napi_get_value_int64(env, id, &thread_id) != napi_ok)
    return throw_argument(env, "expel needs a thread id");
  if (running_python() != nullptr) expel(thread_id);
  return nullptr;
}

/// The process exits with this code.
napi_value expel_all(napi_env env, napi_callback_info info) {
  napi_value code;
  std::size_t count = 1;
  std::int32_t exit_code = 0;
  napi_get_cb_info(env, info, &count, &code, nullptr, nullptr);
  if (count < 1 || napi_get_value_int32(env, code, &exit_code) != napi_ok)
    return throw_argument(env, "expelAll needs an exit code");
  if (running_python() != nullptr) expel_before_exit(exit_code);
  return nullptr;
}

/// The process exits: exit handlers run now.
napi_value farewell(napi_env, napi_callback_info) {
  if (running_python() != nullptr) say_farewell();
  return nullptr;
}

/// The environment ends (a worker exits or is terminated, or Node does): no engine of it may touch
/// Node-API again; waiters wake up, engines close, exit handlers run within a bound.
void leave(void* data) {
  auto* environment = static_cast<Environment*>(data);
  for (auto& context : environment->engines) {
    context->engine->outbox.close();
    begin_closing(context->engine);
  }
  const auto deadline = std::chrono::steady_clock::now() + kFarewell;
  for (auto& context : environment->engines) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    context->engine->wait_closed(std::max(left, std::chrono::milliseconds(0)));
    context->engine->shut();
  }
  for (auto& context : environment->engines) {
    if (context->attachment == nullptr) continue;
    GilAcquire gil(context->attachment->state);
    forget_shapes(*context);
    context->loans.clear();  // a worker that was stopped during a call; Python may hold the memory on
  }
  if (environment->thread_id == 0) BackingStore::abandon_all();
  for (auto& attachment : environment->attachments) detach_for_ever(*attachment);
  environment->attachments.clear();
}

}  // namespace

}  // namespace isopy

NAPI_MODULE_INIT() {
  isopy::keep_freed_memory();
  auto* environment = new isopy::Environment;
  napi_set_instance_data(
      env, environment, [](napi_env, void* data, void*) { delete static_cast<isopy::Environment*>(data); },
      nullptr);
  napi_add_env_cleanup_hook(env, &isopy::leave, environment);
  napi_value function;
  napi_create_function(env, "open", NAPI_AUTO_LENGTH, &isopy::open, nullptr, &function);
  napi_set_named_property(env, exports, "open", function);
  napi_create_function(env, "running", NAPI_AUTO_LENGTH, &isopy::running, nullptr, &function);
  napi_set_named_property(env, exports, "running", function);
  napi_create_function(env, "beThread", NAPI_AUTO_LENGTH, &isopy::be_thread, nullptr, &function);
  napi_set_named_property(env, exports, "beThread", function);
  napi_create_function(env, "expel", NAPI_AUTO_LENGTH, &isopy::expel_thread, nullptr, &function);
  napi_set_named_property(env, exports, "expel", function);
  napi_create_function(env, "farewell", NAPI_AUTO_LENGTH, &isopy::farewell, nullptr, &function);
  napi_set_named_property(env, exports, "farewell", function);
  napi_create_function(env, "expelAll", NAPI_AUTO_LENGTH, &isopy::expel_all, nullptr, &function);
  napi_set_named_property(env, exports, "expelAll", function);
  return exports;
}
