#include "deferred.h"

namespace isopy {

void DeferredReleases::push(const Py_buffer& buffer) {
  std::lock_guard<std::mutex> lock(mutex_);
  buffers_.push_back(buffer);
  waiting_.store(true, std::memory_order_release);
}

void DeferredReleases::drain_all(const Gil&) {
  std::vector<Py_buffer> buffers;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    buffers.swap(buffers_);
    waiting_.store(false, std::memory_order_release);
  }
  // The releasing thread may be in the middle of a failed call: its error stays what it is.
  PyObject *type = nullptr, *value = nullptr, *traceback = nullptr;
  py().PyErr_Fetch(&type, &value, &traceback);
  for (Py_buffer& buffer : buffers) py().PyBuffer_Release(&buffer);
  lent.fetch_sub(buffers.size());
  py().PyErr_Restore(type, value, traceback);
}

}  // namespace isopy
