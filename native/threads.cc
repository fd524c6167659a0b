#include "threads.h"

#include <pthread.h>

#include <memory>
#include <utility>

namespace isopy {

namespace {

void* thread_entry(void* raw) {
  std::unique_ptr<std::function<void()>> body(static_cast<std::function<void()>*>(raw));
  (*body)();
  return nullptr;
}

}  // namespace

bool start_thread(std::function<void()> body) {
  auto owned = std::make_unique<std::function<void()>>(std::move(body));
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0) return false;
  pthread_attr_setstacksize(&attributes, kStackBytes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_t thread;
  const bool ok = pthread_create(&thread, &attributes, &thread_entry, owned.get()) == 0;
  pthread_attr_destroy(&attributes);
  if (ok) (void)owned.release();  // the thread owns it now
  return ok;
}

}  // namespace isopy
