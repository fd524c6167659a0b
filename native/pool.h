/// The threads that run programs.
///
/// One worker is hot: it takes frames from the queue, attaches once per batch and lets the engine
/// work. Nobody else runs while it makes progress (more threads fight for the GIL and lower the
/// throughput of short calls). A worker whose program has not ended for a millisecond or two is
/// *stalled* (I/O, sleep, a long call): from then on the next frame wakes another worker at once,
/// and what was already handed to the stalled one is looked for by another (`Engine::stamp`).
/// Workers are started on demand, up to kMaxWorkers, and kept.
#pragma once

#include <memory>
#include <string>

#include "engine.h"

namespace isopy {

constexpr int kMaxWorkers = 64;

/// Any thread, attached or not: queues a SUBMIT frame of `programs` programs.
void submit_frame(const std::shared_ptr<Engine>& engine, std::string frame, std::uint32_t programs);
/// Whether this thread has just received a frame for the engine and lets it work next.
bool works_next(const Engine& engine);
/// Any thread: `host.wake`, for one more entry in the engine's queue.
void request_work(const std::shared_ptr<Engine>& engine);
/// Attached, on the thread that begins a program: `host.tick`.
void note_progress(Engine& engine);

}  // namespace isopy
