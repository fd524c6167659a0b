/// Python asks JavaScript and waits: directly on the JS thread, through the outbox elsewhere.
#pragma once

#include <memory>
#include <string>

#include "engine.h"

namespace isopy {

/// Sends a CALL frame and waits, detached (N1), for the ANSWER stream. False with `problem` set:
/// "closed", "deadlock", "full" when JavaScript's stack is, or "stopping" when the environment may not run
/// JavaScript any more.
bool ask_javascript(const Gil& gil, const std::shared_ptr<Engine>& engine, const std::string& frame,
                    std::string& answer, const char*& problem);

/// JS thread, after a call of one of our own functions failed, which throw nothing themselves: "full" or
/// "stopping". Clears what was thrown.
const char* why_ours_failed(napi_env env);

/// Raises `_isopy.errors.EngineError` for such a problem, a RecursionError for a full stack.
void raise_unanswered(const Gil& gil, const char* problem, int bound_ms);

}  // namespace isopy
