#include "sync_refs.h"

#include <utility>
#include <vector>

#include "interpreter.h"
#include "sync_scope.h"

namespace isopy {

namespace {

RefTable::Kind kind_argument(napi_env env, napi_value value) {
  bool keeps = false;
  napi_get_value_bool(env, value, &keeps);
  return keeps ? RefTable::kKeeps : RefTable::kCopies;
}

}  // namespace

napi_value known_ref(napi_env env, napi_callback_info info) {
  Arguments given(env, info);
  const HandleId id = handle_argument(env, given[0]);
  if (id == 0) return throw_argument(env, "a handle is a positive integer");
  return given.context().refs.introduce(env, id, kind_argument(env, given[1]));
}

napi_value bind_ref(napi_env env, napi_callback_info info) {
  Arguments given(env, info);
  const HandleId id = handle_argument(env, given[0]);
  if (id == 0 || !given.context().refs.bind(env, id, kind_argument(env, given[1]), given[2]))
    return throw_argument(env, "bindRef needs a handle that was introduced, and its ref");
  return nullptr;
}

napi_value unbind_ref(napi_env env, napi_callback_info info) {
  Arguments given(env, info);
  const std::uint32_t count =
      given.context().refs.unbind(env, handle_argument(env, given[0]), kind_argument(env, given[1]));
  napi_value result;
  return napi_create_uint32(env, count, &result) == napi_ok ? result : nullptr;
}

napi_value sweep_refs(napi_env env, napi_callback_info info) {
  Arguments given(env, info);
  EngineContext& context = given.context();
  std::vector<RefTable::Release> gone = context.refs.sweep(env);
  if (!gone.empty() && !context.engine->closed()) {
    // A finalizer of JavaScript never waits for the GIL.
    context.engine->interpreter->post([engine = context.engine, gone = std::move(gone)](const Gil& gil) {
      for (const RefTable::Release& one : gone) engine->release_handle(gil, one.id, one.count);
    });
  }
  napi_value left;
  return napi_create_double(env, static_cast<double>(context.refs.size()), &left) == napi_ok ? left : nullptr;
}

napi_value live_refs(napi_env env, napi_callback_info info) {
  Arguments given(env, info);
  return given.context().refs.list(env);
}

napi_value forget_refs(napi_env env, napi_callback_info info) {
  Arguments given(env, info);
  given.context().refs.clear(env);
  return nullptr;
}

}  // namespace isopy
