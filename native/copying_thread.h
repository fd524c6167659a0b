/// A second thread for copies of megabytes: one core does not fill the memory's bandwidth.
#pragma once

#include <cstddef>

namespace isopy {

using CopyPiece = void (*)(unsigned char* to, const unsigned char* from, std::size_t size);

/// Copies piece by piece, on this thread and, as far as it comes in time, on the copying thread, which is
/// started by the first such copy and stays. Returns when all is copied. Any thread may call it; who finds
/// the copying thread taken copies alone.
void copy_by_two(CopyPiece copy, unsigned char* to, const unsigned char* from, std::size_t size);

}  // namespace isopy
