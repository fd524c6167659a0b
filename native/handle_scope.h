/// One scope for the Node-API values of a piece of work: without it they live until JavaScript's call
/// returns.
#pragma once

#include <node_api.h>

namespace isopy {

/// JS thread. An unclosed scope aborts the process, so it is closed by leaving the block.
class HandleScope {
 public:
  explicit HandleScope(napi_env env) : env_(env), open_(napi_open_handle_scope(env, &scope_) == napi_ok) {}
  ~HandleScope() {
    if (open_) napi_close_handle_scope(env_, scope_);
  }
  HandleScope(const HandleScope&) = delete;
  HandleScope& operator=(const HandleScope&) = delete;
  /// False when the environment is going down.
  bool open() const { return open_; }

 private:
  napi_env env_;
  napi_handle_scope scope_ = nullptr;
  bool open_;
};

}  // namespace isopy
