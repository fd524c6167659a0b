/// Memory of Python objects that JavaScript views.
///
/// Python's `host.export(object)` takes the object's buffer, which pins it: the memory can be neither
/// freed nor resized. The reply carries the export's id; the JS half asks for an ArrayBuffer over it
/// (`claim`), whose finalizer gives the buffer back through the deferred queue, never waiting for the
/// GIL. An export outlives its engine and its environment's Python calls: only the finalizer, or an
/// explicit `end`, lets go of what was claimed. What was never claimed is dropped with the engine.
#pragma once

#include <node_api.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "gil.h"

namespace isopy {

class Interpreter;

/// One pinned buffer: `size` bytes from `low` on hold every element, whatever the strides.
struct Export {
  Py_buffer buffer{};  // `obj` is null once it was given back
  std::shared_ptr<Interpreter> interpreter;
  unsigned char* low = nullptr;
  std::size_t size = 0;
  std::size_t offset = 0;  // of the first element, from `low` on
};

/// Attached: takes the writable buffer of an object, which pins it; null with a Python error when it has
/// none, or one at an odd address.
std::unique_ptr<Export> take_buffer(const Gil& gil, const std::shared_ptr<Interpreter>& home,
                                    PyObject* object, std::size_t alignment);
/// Attached: gives back what nobody views.
void release_buffer(const Gil& gil, Export& held);
/// Unique in the process, because an environment has one table for all of its engines.
std::uint64_t new_export_id();

class Exports {
 public:
  Exports() = default;
  Exports(const Exports&) = delete;
  Exports& operator=(const Exports&) = delete;

  /// Attached: pins the writable buffer of an object until it is claimed; 0 with a Python error when it has
  /// none.
  std::uint64_t pin(const Gil& gil, const std::shared_ptr<Interpreter>& home, PyObject* object,
                    std::size_t alignment);
  /// Attached: gives back what was pinned and never claimed; unknown ids are ignored.
  void unpin(const Gil& gil, std::uint64_t id);
  /// Attached: the engine closes.
  void drop_unclaimed(const Gil& gil);
  /// Attached: a buffer that was just pinned.
  const Export* find(std::uint64_t id);
  /// Any thread: takes a pinned buffer over; null when there is none.
  std::unique_ptr<Export> take(std::uint64_t id);

 private:
  std::mutex mutex_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Export>> unclaimed_;
};

/// The exports that ArrayBuffers of one environment lie over; shared with their finalizers. JS thread only.
using Claims = std::unordered_map<std::uint64_t, Export*>;

/// JS thread: whether this runtime lets an ArrayBuffer lie over memory of others (Electron does not).
bool external_memory_allowed(napi_env env);

/// JS thread: an ArrayBuffer over a pinned buffer; or a copy of it where `external` is false or the
/// runtime refuses. Null with an exception pending.
napi_value claim_export(napi_env env, const std::shared_ptr<Claims>& claims, std::uint64_t id,
                        std::unique_ptr<Export> taken, bool external);

/// JS thread: detaches the ArrayBuffer of an export and gives the buffer back before any other call. False
/// when that has happened, or when the memory was moved to another ArrayBuffer: then its finalizer does it.
bool end_export(napi_env env, Claims& claims, std::uint64_t id, napi_value buffer);

}  // namespace isopy
