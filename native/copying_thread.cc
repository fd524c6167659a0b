#include "copying_thread.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "threads.h"

namespace isopy {

namespace {

/// A multiple of a page. The owner of a copy waits at the end for one piece at most (20 µs).
constexpr std::size_t kPiece = std::size_t{256} << 10;

/// One copy, on its owner's stack; the thread that takes the next piece copies it.
struct Copy {
  const CopyPiece copy;
  unsigned char* const to;
  const unsigned char* const from;
  const std::size_t size;
  std::atomic<std::size_t> next{0};

  void take_pieces() {
    for (;;) {
      const std::size_t at = next.fetch_add(kPiece, std::memory_order_relaxed);
      if (at >= size) return;
      copy(to + at, from + at, std::min(kPiece, size - at));
    }
  }
};

class CopyingThread {
 public:
  /// False: it is busy, and the copy is its owner's alone.
  bool offer(Copy& copy) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (offered_ != nullptr || taken_ != nullptr) return false;
      offered_ = &copy;
    }
    news_.notify_one();
    return true;
  }

  /// Afterwards nobody looks at the copy any more.
  void take_back(const Copy& copy) {
    std::unique_lock<std::mutex> lock(mutex_);
    if (offered_ == &copy) offered_ = nullptr;
    done_.wait(lock, [&] { return taken_ != &copy; });
  }

  [[noreturn]] void run() {
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      news_.wait(lock, [&] { return offered_ != nullptr; });
      taken_ = offered_;
      offered_ = nullptr;
      lock.unlock();
      taken_->take_pieces();
      lock.lock();
      taken_ = nullptr;
      done_.notify_all();
    }
  }

 private:
  std::mutex mutex_;
  std::condition_variable news_, done_;
  Copy* offered_ = nullptr;
  Copy* taken_ = nullptr;
};

/// Null on one core, or where the system gives no thread. Never destroyed: the thread outlives main().
CopyingThread* copying_thread() {
  static CopyingThread* const thread = []() -> CopyingThread* {
    if (std::thread::hardware_concurrency() < 2) return nullptr;
    auto* made = new CopyingThread;
    if (start_thread([made] { made->run(); })) return made;
    delete made;
    return nullptr;
  }();
  return thread;
}

}  // namespace

void copy_by_two(CopyPiece copy, unsigned char* to, const unsigned char* from, std::size_t size) {
  Copy whole{copy, to, from, size};
  CopyingThread* const other = copying_thread();
  const bool shared = other != nullptr && other->offer(whole);
  whole.take_pieces();
  if (shared) other->take_back(whole);
}

}  // namespace isopy
