/// The `host` that a Python engine is given (PROTOCOL.md, section 8), and calls into the engine.
#pragma once

#include <memory>
#include <string>

#include "engine.h"

namespace isopy {

/// A module object with send, ask, wake, tick, interrupt_thread, can_ask, threads and patience. Empty with an
/// error set.
PyOwned make_host(const Gil& gil, const std::shared_ptr<Engine>& engine);

/// The engine behind a host object; null with an error set.
std::shared_ptr<Engine> engine_of_host(PyObject* host);

/// Creates the Python engine and fills `engine.methods`. False with `problem` set.
bool open_engine(const Gil& gil, const std::shared_ptr<Engine>& engine, const std::string& setup,
                 const std::string& options, std::string& hello, std::string& problem);

/// `engine.close()`, when the engine was opened.
void close_engine(const Gil& gil, Engine& engine);
/// `_isopy.isolated.farewell(engine)`: asks the threads of an engine's own interpreter to end.
void end_threads(const Gil& gil, Engine& engine);

/// `engine.receive(kind, frame)`. It never raises by contract; if it does, the engine is broken and JS is
/// told.
bool receive_frame(const Gil& gil, Engine& engine, int kind, const std::string& frame);

/// The pending Python error came out of the engine itself: reports the engine as lost.
void report_broken_engine(const Gil& gil, Engine& engine);

}  // namespace isopy
