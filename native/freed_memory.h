/// What becomes of large memory that was freed.
///
/// ArrayBuffers and Python's bytes come from malloc. glibc gives freed megabytes back to the system at once,
/// and taking them again costs a page fault for each 4 KB (2 µs in a virtual machine: 5 ms for 10 MB that are
/// copied in 0.5). It learns to keep more from the sizes that are freed; we teach it at the start.
/// Other C libraries do as they do.
#pragma once

#include <cstddef>

namespace isopy {

/// Results from this size on count as large. Bytes.
constexpr std::size_t kLargeMemory = std::size_t{1} << 20;

/// Any thread, once: at most 64 MB of freed memory stay with the process from now on, as they would once it
/// had freed a block of 32 MB. Whoever set glibc's thresholds (GLIBC_TUNABLES) is obeyed.
void keep_freed_memory();

/// Any thread: large memory was taken. When none has been for some seconds, what is free goes back to the
/// system.
void took_large_memory();

}  // namespace isopy
