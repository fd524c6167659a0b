/// Calls without a promise, on the JS thread: attach, do, detach, each time (N2).
///
/// A name is a string, or the number that `name` gave for it. Results: sync_results.h.
#pragma once

#include <node_api.h>

namespace isopy {

// Node-API callbacks; their data pointer is an EngineContext.
napi_value sync_call(napi_env env, napi_callback_info info);          // (handle, ...scalars)
napi_value sync_call_numbers(napi_env env, napi_callback_info info);  // (count); the rest is in `numbers`
napi_value sync_call_refs(napi_env env, napi_callback_info info);    // (handle, mask, ...scalars and handles)
napi_value sync_call_keep(napi_env env, napi_callback_info info);    // the same; the result stays in Python
napi_value sync_call_stream(napi_env env, napi_callback_info info);  // (handle, operands)
napi_value sync_call_flat(napi_env env, napi_callback_info info);    // (handle, slots, text, buffers)
napi_value use_flat_memory(napi_env env, napi_callback_info info);   // (ArrayBuffer for arguments)
napi_value sync_get(napi_env env, napi_callback_info info);          // (handle, name)
napi_value sync_get_keep(napi_env env, napi_callback_info info);     // the same; the result stays in Python
napi_value sync_set(napi_env env, napi_callback_info info);          // (handle, name, scalar)
napi_value sync_item(napi_env env, napi_callback_info info);         // (handle, scalar)
napi_value sync_set_item(napi_env env, napi_callback_info info);     // (handle, scalar, scalar)
napi_value sync_module(napi_env env, napi_callback_info info);       // (name): null when it is not loaded
napi_value sync_convert(napi_env env, napi_callback_info info);      // (handle, mode)
napi_value sync_run(napi_env env, napi_callback_info info);          // (program fragment)
napi_value sync_name(napi_env env, napi_callback_info info);         // (string): its number, or undefined
napi_value sync_type_name(napi_env env, napi_callback_info info);    // (index)

}  // namespace isopy
