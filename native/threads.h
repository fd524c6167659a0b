/// Native threads with stacks that Python's own recursion fits into.
#pragma once

#include <cstddef>
#include <functional>

namespace isopy {

/// Frames, handlers and `json` recurse in C: small stacks segfault (measured: 2 MB is too little).
constexpr std::size_t kStackBytes = 16u << 20;

/// Starts a detached thread with a big stack; `body` is owned. False when the system refuses.
bool start_thread(std::function<void()> body);

}  // namespace isopy
