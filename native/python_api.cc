#include "python_api.h"

#include <dlfcn.h>
#include <unistd.h>

namespace isopy {

PythonApi python_table;

namespace {

std::string last_error(const std::string& fallback) {
  const char* text = dlerror();
  return text != nullptr ? text : fallback;
}

PyObject* probe_function(PyObject*, PyObject*) { return nullptr; }  // never called

}  // namespace

namespace {

/// With RTLD_DEEPBIND libpython finds the C library's own `environ`, which nobody fills where the
/// executable has a copy of it (Node does): `os.environ` would be empty. It gets a copy that nobody changes.
void lend_environment(void* libpython, const std::vector<std::string>& environment) {
#ifdef __linux__
  auto* theirs = static_cast<char***>(dlsym(libpython, "environ"));
  if (theirs == nullptr || theirs == &environ) return;
  auto& texts = *new std::vector<std::string>(environment);  // for ever, like the interpreter
  auto& pointers = *new std::vector<char*>;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  *theirs = pointers.data();
#else
  (void)libpython;
  (void)environment;
#endif
}

}  // namespace

std::string load_python(const std::string& library, bool deepbind,
                        const std::vector<std::string>& environment) {
  int flags = RTLD_NOW | RTLD_GLOBAL;
#ifdef RTLD_DEEPBIND
  if (deepbind) flags |= RTLD_DEEPBIND;
#else
  (void)deepbind;
#endif
  void* handle = dlopen(library.c_str(), flags);
  if (handle == nullptr) return last_error("dlopen failed");

  PythonApi table;
  std::string missing;
  auto find = [&](const char* name, bool required) {
    void* symbol = dlsym(handle, name);
    if (symbol == nullptr && required) missing += (missing.empty() ? "" : ", ") + std::string(name);
    return symbol;
  };
#define ISOPY_FIND(result, name, parameters) \
  table.name = reinterpret_cast<result(*) parameters>(find(#name, true));
  ISOPY_PYTHON_FUNCTIONS(ISOPY_FIND)
#undef ISOPY_FIND
#define ISOPY_FIND(result, name, parameters) \
  table.name = reinterpret_cast<result(*) parameters>(find(#name, false));
  ISOPY_PYTHON_OPTIONAL(ISOPY_FIND)
#undef ISOPY_FIND
#define ISOPY_FIND(name) table.name = static_cast<PyObject*>(find(#name, true));
  ISOPY_PYTHON_OBJECTS(ISOPY_FIND)
#undef ISOPY_FIND
  if (!missing.empty()) return library + " does not export " + missing + " (CPython 3.9 or newer is needed)";

  // Embedding leaves PEP 538 and 540 off: with LANG=C, text would be ASCII. Same as on Pyodide: UTF-8.
  if (auto* utf8_mode = static_cast<int*>(dlsym(handle, "Py_UTF8Mode"))) *utf8_mode = 1;

  lend_environment(handle, environment);
  python_table = table;
  // Filled during initialisation: these symbols hold a pointer, so keep where it is for now.
#define ISOPY_FIND(name) python_table.name = static_cast<PyObject*>(find(#name, true));
  ISOPY_PYTHON_EXCEPTIONS(ISOPY_FIND)
#undef ISOPY_FIND
  return missing.empty() ? "" : library + " does not export " + missing;
}

void verify_layout() {
#define ISOPY_RESOLVE(name) python_table.name = *reinterpret_cast<PyObject**>(python_table.name);
  ISOPY_PYTHON_EXCEPTIONS(ISOPY_RESOLVE)
#undef ISOPY_RESOLVE
  PyObject* probe = py().PyFloat_FromDouble(1.5);
  if (probe == nullptr) return py().PyErr_Clear();
  auto* words = reinterpret_cast<PyObject**>(probe);
  auto* count = reinterpret_cast<std::uint32_t*>(probe);
  bool plain = words[1] == py().PyFloat_Type && *count == 1;
  py().Py_IncRef(probe);
  plain = plain && *count == 2;
  py().Py_DecRef(probe);
  python_table.plain_layout = plain && *count == 1;
  static PyMethodDef probed{"probe", &probe_function, kMethNoargs, nullptr};
  if (PyObject* function = py().PyCFunction_NewEx(&probed, probe, nullptr)) {
    auto** members = reinterpret_cast<void**>(function);
    python_table.plain_functions = python_table.plain_layout && members[2] == &probed && members[3] == probe;
    py().Py_DecRef(function);
  } else {
    py().PyErr_Clear();
  }
  py().Py_DecRef(probe);
  if (!python_table.plain_layout) return;
  // Behind the header come the size and, up to 3.13, the items; checked on a live tuple.
  PyObject* items[] = {py()._Py_NoneStruct, py()._Py_TrueStruct, py()._Py_FalseStruct};
  PyObject* tuple = py().PyTuple_New(3);
  if (tuple == nullptr) return py().PyErr_Clear();
  for (Py_ssize_t i = 0; i < 3; i++) {
    py().Py_IncRef(items[i]);
    py().PyTuple_SetItem(tuple, i, items[i]);
  }
  words = reinterpret_cast<PyObject**>(tuple);
  python_table.plain_tuples = reinterpret_cast<Py_ssize_t*>(tuple)[2] == 3 && words[3] == items[0] &&
                              words[4] == items[1] && words[5] == items[2];
  py().Py_DecRef(tuple);
}

void pin_addon() {
  Dl_info info;
  if (dladdr(reinterpret_cast<void*>(&pin_addon), &info) == 0 || info.dli_fname == nullptr) return;
  dlopen(info.dli_fname, RTLD_NOW | RTLD_NODELETE | RTLD_NOLOAD);
}

}  // namespace isopy
