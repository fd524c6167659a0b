/// The reply for a view of an ordinary array, as `_isopy.views` would write it.
#pragma once

#include <string>

#include "engine.h"

namespace isopy {

/// Pins the array and writes the stream that names it. False without an error when it is not for us:
/// a type that `_isopy.views` has not called simple, or memory that it copies or refuses.
bool write_view(const Gil& gil, Engine& engine, PyObject* array, std::string& stream);

}  // namespace isopy
