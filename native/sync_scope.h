/// What every sync call begins with: its arguments, its engine, and this thread attached.
#pragma once

#include <node_api.h>

#include <array>
#include <cstddef>
#include <memory>

#include "environment.h"

namespace isopy {

/// The arguments of an engine's function and the engine's context.
class Arguments {
 public:
  Arguments(napi_env env, napi_callback_info info);
  Arguments(const Arguments&) = delete;
  Arguments& operator=(const Arguments&) = delete;

  EngineContext& context() const { return *context_; }
  std::size_t count() const { return count_; }
  /// Undefined where the caller gave fewer, as long as `at` is below 10.
  napi_value operator[](std::size_t at) const { return values_[at]; }

 private:
  static constexpr std::size_t kFew = 10;
  std::array<napi_value, kFew> few_;
  std::unique_ptr<napi_value[]> many_;
  napi_value* values_ = few_.data();
  std::size_t count_ = kFew;
  EngineContext* context_ = nullptr;
};

/// Those of a sync call, which needs an engine that runs.
class SyncArguments : public Arguments {
 public:
  /// Throws (ERR_CLOSED) when the engine cannot be called.
  SyncArguments(napi_env env, napi_callback_info info);
  /// False: an exception is pending.
  explicit operator bool() const { return open_; }

 private:
  bool open_ = false;
};

/// The handle that a number is; 0 for what cannot be one.
HandleId handle_of(double number);
HandleId handle_argument(napi_env env, napi_value value);

/// Attached for one sync call; the JS thread counts as blocked meanwhile.
class SyncScope {
 public:
  explicit SyncScope(EngineContext& context);
  ~SyncScope();
  SyncScope(const SyncScope&) = delete;
  SyncScope& operator=(const SyncScope&) = delete;
  const Gil& token() const { return gil_.token(); }

  /// Whether the engine was closed while this thread attached; throws then (ERR_CLOSED).
  bool closed(napi_env env) const;

 private:
  EngineContext& context_;
  GilAcquire gil_;
  PyOwned outer_;  // dropped before the GIL is let go
};

}  // namespace isopy
