/// Memory of JavaScript as a Python memoryview, for the length of a synchronous call.
///
/// A memoryview goes over an object of ours, which holds the memory and counts its exports. When the call
/// ends, the memoryview is released; what Python exported further (a NumPy array that it kept) stays valid,
/// because the memory is held until the last export is given back.
#pragma once

#include <node_api.h>

#include <vector>

#include "gil.h"
#include "handle_table.h"

namespace isopy {

/// One memoryview that a call has lent.
struct Loan {
  HandleId handle = 0;
  PyOwned view, memory;
};

/// The loans of the calls that are running in one engine, innermost last. JS thread; changed attached.
using Loans = std::vector<Loan>;

/// Attached, once, in the main interpreter: makes the type of the objects that hold memory.
bool install_lent_memory(const Gil& gil);

// Node-API callbacks; their data pointer is an EngineContext.

/// (Uint8Array, format, item size, read-only, [shape, strides in bytes, start in bytes]): the handle of a
/// memoryview over it, introduced once.
napi_value lend_memory(napi_env env, napi_callback_info info);
/// (count): ends that many loans, the last ones first; false when Python kept the memory of one.
napi_value end_loans(napi_env env, napi_callback_info info);

}  // namespace isopy
