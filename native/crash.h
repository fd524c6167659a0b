/// What a crash in C code leaves on stderr: the Python stack of every thread (`faulthandler`).
///
/// Node handles SIGSEGV itself (WebAssembly's bounds are guarded by it), so `faulthandler` may only see
/// signals of threads that are in Python: a handler of ours decides, and passes everything else on to what
/// was there before. Opt-out: ISOPY_FAULTHANDLER=0.
#pragma once

#include "gil.h"

namespace isopy {

/// Attached, once, after the start of the main interpreter.
void report_crashes(const Gil& gil);
/// JS thread, before its first call into Python.
void mark_javascript_thread();

}  // namespace isopy
