/// The GIL as a value, and owned references.
///
/// A function that touches a PyObject takes `const Gil&`; it cannot be made outside the guards,
/// so "forgot the GIL" does not compile. `Py_FinalizeEx` is never called (N9), so an attach is
/// always allowed and there is no race with finalization to close.
#pragma once

#include <utility>

#include "python_api.h"

namespace isopy {

/// Proof that the calling thread is attached to the interpreter.
class Gil {
 public:
  Gil(const Gil&) = delete;
  Gil& operator=(const Gil&) = delete;

 private:
  friend class GilAcquire;
  friend class GilHeld;
  Gil() = default;
};

/// Attaches this thread for one scope, with its own thread state. Never wait for JavaScript inside (N1).
class GilAcquire {
 public:
  [[nodiscard]] explicit GilAcquire(PyThreadState* own) noexcept { py().PyEval_RestoreThread(own); }
  ~GilAcquire() { py().PyEval_SaveThread(); }
  GilAcquire(const GilAcquire&) = delete;
  GilAcquire& operator=(const GilAcquire&) = delete;
  const Gil& token() const noexcept { return token_; }

 private:
  Gil token_;
};

/// In a function that Python itself called: attached already.
class GilHeld {
 public:
  const Gil& token() const noexcept { return token_; }

 private:
  Gil token_;
};

/// Detaches for one scope, around every wait.
class GilRelease {
 public:
  [[nodiscard]] explicit GilRelease(const Gil&) noexcept : saved_(py().PyEval_SaveThread()) {}
  ~GilRelease() { py().PyEval_RestoreThread(saved_); }
  GilRelease(const GilRelease&) = delete;
  GilRelease& operator=(const GilRelease&) = delete;

 private:
  PyThreadState* const saved_;
};

/// An owned reference. Must be destroyed attached; empty means "a Python error is set" where a
/// function returns one.
class PyOwned {
 public:
  PyOwned() = default;
  PyOwned(PyOwned&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  PyOwned& operator=(PyOwned&& other) noexcept {
    if (this != &other) {
      reset();
      object_ = std::exchange(other.object_, nullptr);
    }
    return *this;
  }
  PyOwned(const PyOwned&) = delete;
  PyOwned& operator=(const PyOwned&) = delete;
  ~PyOwned() { reset(); }

  static PyOwned steal(PyObject* object) { return PyOwned(object); }
  static PyOwned share(PyObject* object) {
    py().Py_IncRef(object);
    return PyOwned(object);
  }

  explicit operator bool() const { return object_ != nullptr; }
  PyObject* get() const { return object_; }
  [[nodiscard]] PyObject* release() { return std::exchange(object_, nullptr); }
  void reset() {
    if (object_ != nullptr) py().Py_DecRef(std::exchange(object_, nullptr));
  }

 private:
  explicit PyOwned(PyObject* object) : object_(object) {}
  PyObject* object_ = nullptr;
};

}  // namespace isopy
