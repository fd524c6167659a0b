/// What belongs to one JavaScript environment (the main one or a `worker_threads` worker).
///
/// Freed by Node with the environment.
#pragma once

#include <node_api.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine.h"
#include "flat_reader.h"
#include "flat_writer.h"
#include "interpreter.h"
#include "lent_memory.h"
#include "ref_table.h"
#include "stream_reader.h"
#include "stream_writer.h"

namespace isopy {

/// Shared with JavaScript as an Int32Array: what the last sync call returned, whether events wait, and
/// how many streams the fast codec has read and written (for tests).
/// For the flat codec: `kTaken` is set when the arguments of a call were read; `kReading` while the memory of
/// arguments is in use; JavaScript sets `kForget` when it lost a message, and `kStreams` for streams only.
/// Of a new ref: its flags, and its type (the index in the type book; the complement of it when
/// JavaScript has not asked for the name).
enum StateSlot {
  kOutcome = 0,
  kLength = 1,
  kWaiting = 2,
  kFast = 3,
  kTaken = 4,
  kReading = 5,
  kForget = 6,
  kStreams = 7,
  kFlags = 8,
  kType = 9,
  kStateSlots = 10
};
/// What `kWaiting` says after a sync call: events to be drained, or callbacks that Python dropped and that
/// JavaScript asks for at the end of its turn (`flush`).
enum Waiting : std::int32_t { kNothing = 0, kEvents = 1, kDropped = 2 };
/// The numbers of a call: its handle and arguments, then its result. (A value of Node-API costs 4 to 8 ns.)
constexpr std::size_t kNumbers = 8;

/// Results up to this size are written here; larger ones get a buffer of their own.
constexpr std::size_t kScratchBytes = 64 * 1024;

/// What a drain takes is written here; more of it gets a buffer of its own. (Allocating and sweeping one
/// per call took a quarter of the JS thread's time with one call in flight.)
constexpr std::size_t kInboxBytes = 64 * 1024;

struct Environment;

/// What the JS thread of an environment has in one interpreter. Made by and for that thread, at its
/// first sync call there.
struct Attachment {
  std::shared_ptr<Interpreter> interpreter;
  PyThreadState* state = nullptr;
  /// This thread's `_isopy.lanes.Lane`, and the engine that it names: whose output and callbacks they are.
  PyOwned lane;
  PyObject* lane_engine = nullptr;  // held by the lane
  StreamWriter writer;
  StreamReader reader;
};

/// One engine as its environment sees it; the data pointer of its JS functions.
struct EngineContext {
  Environment* environment = nullptr;
  std::shared_ptr<Engine> engine;
  Attachment* attachment = nullptr;  // from the first sync call on; the environment's
  std::int32_t* state = nullptr;     // memory of an ArrayBuffer that `keep` holds
  double* numbers = nullptr;         // likewise
  unsigned char* scratch = nullptr;  // likewise
  unsigned char* inbox = nullptr;    // likewise
  napi_ref keep = nullptr;           // the JS object, which holds them
  bool external_memory = false;      // whether ArrayBuffers may lie over Python's memory
  FlatWriter flat_writer;
  FlatReader flat_reader;
  RefTable refs;  // of synchronous facades
  Loans loans;
};

/// Attached: the Python objects that an engine's codec remembers.
void forget_shapes(EngineContext& context);

struct Environment {
  std::shared_ptr<Claims> claims = std::make_shared<Claims>();
  std::int64_t thread_id = 0;  // of `worker_threads`
  std::vector<std::unique_ptr<EngineContext>> engines;
  std::vector<std::unique_ptr<Attachment>> attachments;  // one per interpreter
};

/// JS thread: the attachment to the interpreter of a started engine.
Attachment& attachment_of(EngineContext& context);
/// JS thread, detached, at the end of the environment: gives an attachment's Python objects back.
void detach_for_ever(Attachment& attachment);

/// JS thread: throws a TypeError with `code` ERR_ARGUMENT and returns null.
napi_value throw_argument(napi_env env, const std::string& message);
/// JS thread: the bytes of a Uint8Array; false (nothing thrown) when it is something else.
bool read_bytes(napi_env env, napi_value value, const unsigned char*& data, std::size_t& length);
/// JS thread: a fresh ArrayBuffer whose every byte the caller writes before JavaScript sees it, or null when
/// memory is exhausted (an exception is pending).
napi_value new_memory(napi_env env, std::size_t length, void** memory);
/// JS thread: a fresh ArrayBuffer with a copy, or null when memory is exhausted (an exception is pending).
napi_value new_buffer(napi_env env, const void* data, std::size_t length);
/// JS thread: a fresh Uint8Array with a copy, or null when memory is exhausted (an exception is pending).
napi_value new_bytes(napi_env env, const void* data, std::size_t length);

}  // namespace isopy
