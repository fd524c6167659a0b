/// What is dropped by threads that are not attached (N4): a queue, drained by whoever attaches next.
#pragma once

#include <atomic>
#include <mutex>
#include <vector>

#include "gil.h"

namespace isopy {

/// Buffers of Python objects whose last viewer is gone. Pushing never waits for the GIL.
class DeferredReleases {
 public:
  /// Buffers that JavaScript has, or may still ask for: their interpreter must not end before.
  std::atomic<std::size_t> lent{0};

  /// Any thread: takes the buffer over.
  void push(const Py_buffer& buffer);
  bool waiting() const { return waiting_.load(std::memory_order_acquire); }
  /// Attached: releases everything that was pushed before. May run Python code.
  void drain(const Gil& gil) {
    if (waiting()) drain_all(gil);
  }

 private:
  void drain_all(const Gil& gil);
  std::atomic<bool> waiting_{false};
  std::mutex mutex_;
  std::vector<Py_buffer> buffers_;
};

}  // namespace isopy
