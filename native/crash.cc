#include "crash.h"

#include <csignal>
#include <cstdlib>
#include <cstring>

namespace isopy {

namespace {

struct Watched {
  int signal;
  struct sigaction before, pythons;
};
Watched watched[] = {
    {SIGSEGV, {}, {}}, {SIGBUS, {}, {}}, {SIGFPE, {}, {}}, {SIGILL, {}, {}}, {SIGABRT, {}, {}}};

/// Read inside a signal handler, where the first use of a thread-local must not allocate.
__attribute__((tls_model("initial-exec"))) thread_local bool javascript = false;

/// A JS thread is in Python while it is attached (not while a callback runs JavaScript); any other
/// thread that Python knows always is (C code that let go of the GIL crashes too).
bool in_python() {
  PyThreadState* own = py().PyGILState_GetThisThreadState();
  if (own == nullptr) return false;
  if (!javascript) return true;
  const auto current = py().PyThreadState_GetUnchecked != nullptr ? py().PyThreadState_GetUnchecked
                                                                  : py()._PyThreadState_UncheckedGet;
  return current != nullptr && current() == own;
}

void pass_on(const struct sigaction& action, int signal, siginfo_t* info, void* context) {
  if ((action.sa_flags & SA_SIGINFO) != 0) return action.sa_sigaction(signal, info, context);
  if (action.sa_handler == SIG_IGN) return;
  if (action.sa_handler != SIG_DFL) return action.sa_handler(signal);
  sigaction(signal, &action, nullptr);
  raise(signal);
}

void on_crash(int signal, siginfo_t* info, void* context) {
  for (Watched& one : watched) {
    if (one.signal != signal) continue;
    // Python's handler puts back what was there before it, writes, and raises the signal again.
    return pass_on(in_python() ? one.pythons : one.before, signal, info, context);
  }
}

/// `faulthandler.enable(file=2)`; false with an error set.
bool enable() {
  PyOwned module = PyOwned::steal(py().PyImport_ImportModule("faulthandler"));
  PyOwned function = module ? PyOwned::steal(py().PyObject_GetAttrString(module.get(), "enable")) : PyOwned();
  PyOwned descriptor = PyOwned::steal(py().PyLong_FromLongLong(2));
  PyObject* args[] = {descriptor.get()};
  return function && descriptor && PyOwned::steal(py().vectorcall(function.get(), args, 1));
}

}  // namespace

void report_crashes(const Gil&) {
  const char* wanted = std::getenv("ISOPY_FAULTHANDLER");
  if (wanted != nullptr && std::strcmp(wanted, "0") == 0) return;
  for (Watched& one : watched) sigaction(one.signal, nullptr, &one.before);
  if (!enable()) return py().PyErr_Clear();  // a Python without the module crashes without a word
  struct sigaction action = {};
  action.sa_sigaction = &on_crash;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  sigemptyset(&action.sa_mask);
  for (Watched& one : watched) {
    sigaction(one.signal, nullptr, &one.pythons);
    sigaction(one.signal, &action, nullptr);
  }
}

void mark_javascript_thread() { javascript = true; }

}  // namespace isopy
