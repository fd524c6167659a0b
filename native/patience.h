/// When it pays that the JS thread waits a moment for a reply instead of returning to its event loop.
///
/// With one call in flight most of its time is the way back: a wake-up of the event loop costs the worker a
/// system call and the JS thread another, and often a sleep of its core. A short call is over before that.
/// So the JS thread looks for the reply for at most `kBound`; but when that was in vain, it does so less and
/// less often, and after `kInARow` replies the event loop gets its turn, so that a chain of awaits starves
/// nobody (ADR 26).
#pragma once

#include <algorithm>
#include <chrono>

namespace isopy {

/// JS thread only.
class Patience {
 public:
  static constexpr auto kBound = std::chrono::microseconds(20);

  /// Whether to wait for the reply to what was just sent.
  bool pays() {
    if (left_ == 0) return false;
    if (passing_ == 0) return true;
    passing_--;
    return false;
  }
  void waited(bool in_time) {
    if (in_time) {
      left_--;
      penalty_ = 1;
    } else {
      passing_ = penalty_;
      penalty_ = std::min(penalty_ * 2, kMostPassing);
    }
  }
  /// The event loop has turned.
  void turned() { left_ = kInARow; }

 private:
  static constexpr int kInARow = 16;
  /// In vain at every 256th call: 0.1 µs a call at the most.
  static constexpr int kMostPassing = 256;
  int left_ = kInARow;
  int passing_ = 0;
  int penalty_ = 1;
};

}  // namespace isopy
