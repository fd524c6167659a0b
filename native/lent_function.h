/// Functions that JavaScript lent, as Python objects whose call goes to JavaScript without a frame.
///
/// `_isopy.proxies` derives its classes from them; whatever a direct call cannot do is left to the method
/// `_isopy_call`, which asks with a frame (PROTOCOL.md, section 6).
#pragma once

#include <memory>

#include "engine.h"

namespace isopy {

/// Attached, once per interpreter and before `_isopy` is loaded: makes the module `_isopy_native` with the
/// type `Lent` and the function `function_type`. False with an error set.
bool install_lent_types(const Gil& gil);

/// JS thread: lets go of the functions that Python has dropped.
void release_dropped_functions(JsThread& js);

}  // namespace isopy
