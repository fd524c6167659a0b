/// Lock waits that an interrupt can end.
///
/// CPython raises an asynchronous exception between two bytecodes only, so a thread that waits for a lock
/// would wait on. Here `acquire` and `__enter__` of `_thread.lock` and `_thread.RLock` first try without
/// waiting, at the cost of one more C call, and only where that fails and the thread runs a program they wait
/// in slices, with a look for an interrupt in between. Types, descriptors and signatures stay CPython's own.
/// That they are C matters: between a lock taken and the `with` block that gives it back no exception can
/// come.
#pragma once

#include "gil.h"

namespace isopy {

/// Attached: what replaces a method of a lock type (`reentrant`: of RLock), for the type's dict. Empty
/// without an error where the method is not made as this file expects: then waits for such locks stay
/// CPython's.
PyOwned interruptible_method(const Gil& gil, PyObject* type, PyObject* descriptor, bool reentrant);

}  // namespace isopy
