#include "variables.h"

#include <cstdlib>
#include <cstring>
#include <mutex>
#include <unordered_set>

#include "gil.h"
#include "python_function.h"

#ifdef __linux__
#include <unistd.h>
#endif

namespace isopy {

#ifdef __linux__

namespace {

using Array = char**;

/// Never destroyed: other threads read it while the process exits.
struct Variables {
  std::mutex mutex;
  /// Every `name=value` that was ever set here; a reader may hold any of them.
  std::unordered_set<std::string> texts;
  /// The array that was made here last, and how many pointers it has room for.
  Array own = nullptr;
  std::size_t room = 0;
};
Variables& variables = *new Variables;

char* read(const Array array, std::size_t at) { return __atomic_load_n(array + at, __ATOMIC_ACQUIRE); }
void write(Array array, std::size_t at, char* text) { __atomic_store_n(array + at, text, __ATOMIC_RELEASE); }
Array current() { return __atomic_load_n(&environ, __ATOMIC_ACQUIRE); }

bool has_name(const char* text, const std::string& name) {
  return std::strncmp(text, name.data(), name.size()) == 0 && text[name.size()] == '=';
}

/// The place of a name, or that of the end.
std::size_t find(Array array, const std::string& name) {
  std::size_t at = 0;
  if (array == nullptr) return at;
  for (char* text; (text = read(array, at)) != nullptr; at++)
    if (has_name(text, name)) break;
  return at;
}

/// A copy of `from`'s first texts, with as much room again; null when there is no memory.
Array grown(Array from, std::size_t count, std::size_t& room) {
  room = 2 * count + 64;
  auto* array = static_cast<Array>(std::calloc(room, sizeof(char*)));
  if (array != nullptr)
    for (std::size_t at = 0; at < count; at++) array[at] = read(from, at);
  return array;
}

/// `text` at the end of the array, or of a new one; false when there is no memory.
bool append(char* text, const std::string& name) {
  for (;;) {
    Array now = current();
    const std::size_t end = find(now, name);
    if (now != nullptr && read(now, end) != nullptr) {  // put there meanwhile
      write(now, end, text);
      return true;
    }
    if (now == variables.own && end + 2 <= variables.room) {
      write(now, end + 1, nullptr);
      write(now, end, text);
      if (current() == now) return true;
      continue;  // the C library has made its own array of it, with or without the text
    }
    std::size_t room = 0;
    Array array = grown(now, end, room);
    if (array == nullptr) return false;
    array[end] = text;
    if (__atomic_compare_exchange_n(&environ, &now, array, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
      variables.own = array;
      variables.room = room;
      return true;
    }
    std::free(array);  // nobody has seen it
  }
}

/// Whether the C library reads the array that is written here: an executable may have an `environ` of its
/// own.
bool shared_with_library() {
  static const bool shared = [] {
    const std::string name = "ISOPY_PROBE_OF_ENVIRON";
    if (!put_variable(name, "1")) return false;
    const char* value = std::getenv(name.c_str());
    const bool seen = value != nullptr && std::strcmp(value, "1") == 0;
    unset_variable(name);
    return seen;
  }();
  return shared;
}

/// The arguments of a Python call; false with an error set.
bool take_bytes(PyObject* object, std::string& bytes) {
  char* data = nullptr;
  Py_ssize_t size = 0;
  if (py().PyBytes_AsStringAndSize(object, &data, &size) != 0) return false;
  bytes.assign(data, static_cast<std::size_t>(size));
  return true;
}

PyObject* python_put(PyObject*, PyObject* const* args, Py_ssize_t count) {
  std::string name, value;
  if (count != 2) return wrong_arguments("put_variable(name, value)");
  if (!take_bytes(args[0], name) || !take_bytes(args[1], value)) return nullptr;
  return put_variable(name, value) ? none() : py().PyErr_NoMemory();
}

PyObject* python_unset(PyObject*, PyObject* const* args, Py_ssize_t count) {
  std::string name;
  if (count != 1) return wrong_arguments("unset_variable(name)");
  if (!take_bytes(args[0], name)) return nullptr;
  unset_variable(name);
  return none();
}

// Python keeps pointers to these.
PyMethodDef methods[] = {fast_method("put_variable", &python_put),
                         fast_method("unset_variable", &python_unset)};

}  // namespace

bool put_variable(const std::string& name, const std::string& value) {
  if (name.empty() || name.find('=') != std::string::npos) return false;
  const std::lock_guard<std::mutex> lock(variables.mutex);
  auto* text = const_cast<char*>(variables.texts.insert(name + "=" + value).first->c_str());
  return append(text, name);
}

void unset_variable(const std::string& name) {
  const std::lock_guard<std::mutex> lock(variables.mutex);
  const Array now = current();
  if (now == nullptr || name.empty()) return;
  for (std::size_t at = find(now, name); read(now, at) != nullptr; at = find(now, name)) {
    // The others move down, and the end with them; a reader may miss one for a moment, as with the C
    // library's own.
    for (std::size_t to = at; read(now, to) != nullptr; to++) write(now, to, read(now, to + 1));
  }
}

std::vector<std::string> copy_variables() {
  std::vector<std::string> copy;
  const Array now = current();
  if (now == nullptr) return copy;
  for (std::size_t at = 0; char* text = read(now, at); at++) copy.emplace_back(text);
  return copy;
}

bool install_variables(const Gil&) {
  if (!shared_with_library()) return true;
  PyObject* module = py().PyImport_AddModule("_isopy_native");  // borrowed
  if (module == nullptr) return false;
  for (PyMethodDef& method : methods) {
    PyOwned function = PyOwned::steal(py().PyCFunction_NewEx(&method, nullptr, nullptr));
    if (!function || py().PyObject_SetAttrString(module, method.ml_name, function.get()) != 0) return false;
  }
  return true;
}

#else

bool put_variable(const std::string& name, const std::string& value) {
  return setenv(name.c_str(), value.c_str(), 1) == 0;
}
void unset_variable(const std::string& name) { unsetenv(name.c_str()); }
std::vector<std::string> copy_variables() { return {}; }
bool install_variables(const Gil&) { return true; }

#endif

}  // namespace isopy
