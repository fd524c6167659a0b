/// The weak table of refs (ref_table.h), for the synchronous facade. No GIL is taken and no Python runs.
#pragma once

#include <node_api.h>

namespace isopy {

// Node-API callbacks; their data pointer is an EngineContext. `keep` is a boolean: the kind of ref.
napi_value known_ref(napi_env env, napi_callback_info info);  // (handle, keep): counted; the ref or undefined
napi_value bind_ref(napi_env env, napi_callback_info info);   // (handle, keep, ref)
napi_value unbind_ref(napi_env env, napi_callback_info info);   // (handle, keep): introductions to give back
napi_value sweep_refs(napi_env env, napi_callback_info info);   // how many are left
napi_value live_refs(napi_env env, napi_callback_info info);    // [ref, count, …]
napi_value forget_refs(napi_env env, napi_callback_info info);  // all of them; nothing is given back

}  // namespace isopy
