#include "exports.h"

#include <atomic>
#include <cstring>
#include <utility>

#include "environment.h"
#include "interpreter.h"

namespace isopy {

namespace {

/// JS thread: the buffer goes to the deferred queue, once.
void give_back(Export& held) {
  if (held.buffer.obj == nullptr) return;
  held.interpreter->drop_later(held.buffer);
  held.buffer.obj = nullptr;
}

/// What a finalizer needs.
struct Claim {
  std::shared_ptr<Claims> claims;
  std::uint64_t id;
  std::unique_ptr<Export> held;
};

/// JS thread, some time after the collection or detaching, or while the environment ends.
void finalize(napi_env, void*, void* raw) {
  std::unique_ptr<Claim> claim(static_cast<Claim*>(raw));
  claim->claims->erase(claim->id);
  give_back(*claim->held);
  // An `end` leaves this to the finalizer, which follows it when the job is over (a release took 3.4 µs with
  // a thread to wake, 0.5 without); a call that comes first drops the buffer itself.
  claim->held->interpreter->wake_for_dropped();
}

}  // namespace

std::unique_ptr<Export> take_buffer(const Gil&, const std::shared_ptr<Interpreter>& home, PyObject* object,
                                    std::size_t alignment) {
  auto held = std::make_unique<Export>();
  held->interpreter = home;
  Py_buffer& buffer = held->buffer;
  if (py().PyObject_GetBuffer(object, &buffer, kPyBufRecords) != 0) return nullptr;
  std::ptrdiff_t low = 0, high = buffer.itemsize;
  // Without strides the elements lie one after the other: ctypes leaves them out although they were asked
  // for.
  if (buffer.strides == nullptr || buffer.shape == nullptr) high = buffer.len;
  for (int axis = 0; buffer.strides != nullptr && buffer.shape != nullptr && axis < buffer.ndim; axis++) {
    if (buffer.shape[axis] == 0) low = high = 0;
    if (high == 0) break;
    const std::ptrdiff_t reach = (buffer.shape[axis] - 1) * buffer.strides[axis];
    (reach < 0 ? low : high) += reach;
  }
  held->low = static_cast<unsigned char*>(buffer.buf) + low;
  held->size = static_cast<std::size_t>(high - low);
  held->offset = static_cast<std::size_t>(-low);
  if (alignment > 1 && held->size > 0 && reinterpret_cast<std::uintptr_t>(held->low) % alignment != 0) {
    py().PyBuffer_Release(&buffer);
    py().PyErr_SetString(py().PyExc_ValueError, "its memory is not aligned for its elements");
    return nullptr;
  }
  home->dropped.lent.fetch_add(1);
  return held;
}

void release_buffer(const Gil&, Export& held) {
  py().PyBuffer_Release(&held.buffer);
  held.interpreter->dropped.lent.fetch_sub(1);
}

std::uint64_t new_export_id() {
  static std::atomic<std::uint64_t> next{1};
  return next.fetch_add(1);
}

std::uint64_t Exports::pin(const Gil& gil, const std::shared_ptr<Interpreter>& home, PyObject* object,
                           std::size_t alignment) {
  std::unique_ptr<Export> held = take_buffer(gil, home, object, alignment);
  if (held == nullptr) return 0;
  const std::uint64_t id = new_export_id();
  std::lock_guard<std::mutex> lock(mutex_);
  unclaimed_.emplace(id, std::move(held));
  return id;
}

void Exports::unpin(const Gil& gil, std::uint64_t id) {
  const std::unique_ptr<Export> held = take(id);
  if (held != nullptr) release_buffer(gil, *held);
}

void Exports::drop_unclaimed(const Gil& gil) {
  std::unordered_map<std::uint64_t, std::unique_ptr<Export>> dropped;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    dropped.swap(unclaimed_);
  }
  for (auto& [id, held] : dropped) release_buffer(gil, *held);
}

const Export* Exports::find(std::uint64_t id) {
  std::lock_guard<std::mutex> lock(mutex_);
  return unclaimed_.at(id).get();
}

std::unique_ptr<Export> Exports::take(std::uint64_t id) {
  std::lock_guard<std::mutex> lock(mutex_);
  const auto found = unclaimed_.find(id);
  if (found == unclaimed_.end()) return nullptr;
  std::unique_ptr<Export> held = std::move(found->second);
  unclaimed_.erase(found);
  return held;
}

bool external_memory_allowed(napi_env env) {
  static char probe = 0;
  napi_value buffer;
  return napi_create_external_arraybuffer(
             env, &probe, 1, [](napi_env, void*, void*) {}, nullptr, &buffer) == napi_ok;
}

napi_value claim_export(napi_env env, const std::shared_ptr<Claims>& claims, std::uint64_t id,
                        std::unique_ptr<Export> taken, bool external) {
  Export& held = *taken;
  if (external && held.size > 0) {
    auto claim = std::make_unique<Claim>(Claim{claims, id, std::move(taken)});
    napi_value buffer;
    if (napi_create_external_arraybuffer(env, held.low, held.size, &finalize, claim.get(), &buffer) ==
        napi_ok) {
      claims->emplace(id, &held);
      (void)claim.release();  // the finalizer's now
      return buffer;
    }
    taken = std::move(claim->held);
  }
  napi_value buffer = new_buffer(env, held.low, held.size);
  give_back(held);
  held.interpreter->wake_for_dropped();
  return buffer;
}

bool end_export(napi_env env, Claims& claims, std::uint64_t id, napi_value buffer) {
  const auto found = claims.find(id);
  bool detached = true;
  if (found == claims.end() || napi_is_detached_arraybuffer(env, buffer, &detached) != napi_ok || detached ||
      napi_detach_arraybuffer(env, buffer) != napi_ok) {
    return false;
  }
  give_back(*found->second);
  return true;
}

}  // namespace isopy
