/// Calls without a promise, on the JS thread: attach, do, detach, each time (N2).
#pragma once

#include <node_api.h>

namespace isopy {

// Node-API callbacks; their data pointer is an EngineContext.
napi_value sync_call(napi_env env, napi_callback_info info);         // (handle, ...scalars)
napi_value sync_call_stream(napi_env env, napi_callback_info info);  // (handle, operands)
napi_value sync_get(napi_env env, napi_callback_info info);          // (handle, name, mode)
napi_value sync_convert(napi_env env, napi_callback_info info);      // (handle, mode)
napi_value sync_call_flat(napi_env env, napi_callback_info info);    // (handle, slots, text, buffers)
napi_value use_flat_memory(napi_env env, napi_callback_info info);   // (ArrayBuffer for arguments)
napi_value sync_run(napi_env env, napi_callback_info info);          // (program fragment)

}  // namespace isopy
