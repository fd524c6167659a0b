/// Puts the C++ codec in front of `engine.codec.stream` and `engine.codec.decode`.
#pragma once

#include <memory>

#include "engine.h"

namespace isopy {

/// Replaces the two methods of the codec object by functions that try the C++ codec and call the
/// replaced method when it gives up. False with an error set. Does nothing where the layout of
/// objects is not the one the fast codec was checked on (free-threaded builds).
bool accelerate_codec(const Gil& gil, const std::shared_ptr<Engine>& engine, const PyOwned& codec);

}  // namespace isopy
