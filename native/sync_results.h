/// How the result of a sync call reaches JavaScript.
///
/// `state[kOutcome]` says what was returned: a scalar or a ref that lives, a stream (in the scratch
/// memory when it fits), an error's stream, flat slots, the handle that a new ref is to be made for, or
/// a number that lies in `numbers`.
#pragma once

#include <node_api.h>

#include "environment.h"

namespace isopy {

enum Outcome : std::int32_t {
  kScalar = 0,
  kStream = 1,
  kError = 2,
  kFlat = 3,
  kFlatMoved = 4,
  kReference = 5,
  kNumber = 6,
  kView = 7
};

/// A value: as data where it is data, else as a ref. `kKeeps`: always a ref, and what is reached from it too.
napi_value deliver_value(const Gil& gil, napi_env env, EngineContext& context, PyObject* value,
                         RefTable::Kind kind);
/// A value under any mode (PROTOCOL.md, section 3), as `engine.encode(value, mode)` writes it.
napi_value deliver_encoded(const Gil& gil, napi_env env, EngineContext& context, PyObject* value, int mode);
/// The pending Python error.
napi_value deliver_error(const Gil& gil, napi_env env, EngineContext& context);
/// Bytes: undefined when they are in the scratch memory.
napi_value deliver(napi_env env, EngineContext& context, Outcome outcome, const char* data,
                   std::size_t length);

}  // namespace isopy
