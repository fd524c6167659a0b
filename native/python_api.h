/// The part of CPython's C API that the addon uses, as a table filled by dlsym.
///
/// The addon neither includes Python.h nor links libpython, so one binary serves every
/// CPython >= 3.9: only names and layouts that are the same in all of them may appear here.
/// Where versions differ, the member is optional (may be null) and the caller asks the
/// pointer, never the version.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace isopy {

struct PyObject;       // opaque: see type_of() for the one look inside
struct PyThreadState;  // opaque
struct PyInterpreterState;
using Py_ssize_t = std::ptrdiff_t;

struct PyMethodDef {
  const char* ml_name;
  PyObject* (*ml_meth)(PyObject*, PyObject*);
  int ml_flags;
  const char* ml_doc;
};
constexpr int kMethNoargs = 0x0004;
constexpr int kMethFastcall = 0x0080;

/// A type, as PyType_FromSpec takes it; the numbers are those of the stable ABI.
struct PyTypeSlot {
  int slot;
  void* function;
};
struct PyTypeSpec {
  const char* name;
  int basicsize;
  int itemsize;
  unsigned int flags;
  PyTypeSlot* slots;
};
/// `PyMemberDef`.
struct PyMember {
  const char* name;
  int type;
  Py_ssize_t offset;
  int flags;
  const char* doc;
};
constexpr int kMemberSsize = 19, kMemberReadOnly = 1;
constexpr int kTypeGetBuffer = 1, kTypeReleaseBuffer = 2;  // from 3.9 on
constexpr int kTypeCall = 50, kTypeDealloc = 52, kTypeMembers = 72, kTypeFree = 74;
/// Py_TPFLAGS_DEFAULT and Py_TPFLAGS_BASETYPE.
constexpr unsigned int kTypeFlags = (1u << 18) | (1u << 10), kTypeFinalFlags = 1u << 18;
/// Py_TPFLAGS_HAVE_VECTORCALL.
constexpr unsigned int kTypeVectorcall = 1u << 11;
constexpr int kMethVarargsKeywords = 0x0003;

/// Typed through a generic pointer, as Python's slot tables are.
template <typename Function>
void* type_slot(Function* function) {
  return reinterpret_cast<void*>(function);
}

using Fastcall = PyObject* (*)(PyObject* self, PyObject* const* args, Py_ssize_t count);

/// A METH_FASTCALL function, which tells Python the real type of the pointer.
inline PyMethodDef fast_method(const char* name, Fastcall function) {
  return {name, reinterpret_cast<PyObject* (*)(PyObject*, PyObject*)>(type_slot(function)), kMethFastcall,
          nullptr};
}

/// PEP 3118; the same since 3.3.
struct Py_buffer {
  void* buf;
  PyObject* obj;
  Py_ssize_t len;
  Py_ssize_t itemsize;
  int readonly;
  int ndim;
  char* format;
  Py_ssize_t* shape;
  Py_ssize_t* strides;
  Py_ssize_t* suboffsets;
  void* internal;
};

/// PyBUF_STRIDES | PyBUF_WRITABLE | PyBUF_FORMAT.
constexpr int kPyBufRecords = 0x1D;
constexpr int kPyBufWritable = 0x01, kPyBufFormat = 0x04, kPyBufNd = 0x08, kPyBufStrides = 0x18;
constexpr int kPyBufCContiguous = 0x38, kPyBufFContiguous = 0x58, kPyBufAnyContiguous = 0x98;
/// The same in 3.12 and 3.13.
struct PyInterpreterConfig {
  int use_main_obmalloc;
  int allow_fork;
  int allow_exec;
  int allow_threads;
  int allow_daemon_threads;
  int check_multi_interp_extensions;
  int gil;
};
constexpr int kOwnGil = 2;

/// PEP 587; the same since 3.8.
struct PyStatus {
  int type;  // 0: fine
  const char* function;
  const char* message;
  int exit_code;
};

/// Set in `nargsf` when the callee may use the slot in front of the arguments.
constexpr std::size_t kVectorcallOffset = std::size_t{1} << (8 * sizeof(std::size_t) - 1);
constexpr int kPyFileInput = 257;

// clang-format off
#define ISOPY_PYTHON_FUNCTIONS(X)                                                              \
  X(void, Py_SetProgramName, (const wchar_t*))                                                 \
  X(void, Py_InitializeEx, (int))                                                              \
  X(int, Py_IsInitialized, ())                                                                 \
  X(const char*, Py_GetVersion, ())                                                            \
  X(wchar_t*, Py_DecodeLocale, (const char*, std::size_t*))                                    \
  X(PyThreadState*, PyEval_SaveThread, ())                                                     \
  X(void, PyEval_RestoreThread, (PyThreadState*))                                              \
  X(PyInterpreterState*, PyInterpreterState_Get, ())                                           \
  X(PyThreadState*, PyInterpreterState_ThreadHead, (PyInterpreterState*))                      \
  X(PyThreadState*, PyThreadState_Next, (PyThreadState*))                                      \
  X(PyThreadState*, PyThreadState_Swap, (PyThreadState*))                                      \
  X(void, PyThreadState_Delete, (PyThreadState*))                                              \
  X(PyThreadState*, Py_NewInterpreter, ())                                                     \
  X(void, Py_EndInterpreter, (PyThreadState*))                                                 \
  X(PyThreadState*, PyThreadState_New, (PyInterpreterState*))                                  \
  X(void, PyThreadState_Clear, (PyThreadState*))                                               \
  X(void, PyThreadState_DeleteCurrent, ())                                                     \
  X(PyThreadState*, PyGILState_GetThisThreadState, ())                                         \
  X(int, PyThreadState_SetAsyncExc, (unsigned long, PyObject*))                                \
  X(unsigned long, PyThread_get_thread_ident, ())                                              \
  X(void, Py_IncRef, (PyObject*))                                                              \
  X(void, Py_DecRef, (PyObject*))                                                              \
  X(PyObject*, PyObject_Type, (PyObject*))                                                     \
  X(PyObject*, PyObject_GetAttr, (PyObject*, PyObject*))                                       \
  X(PyObject*, PyObject_GetAttrString, (PyObject*, const char*))                               \
  X(int, PyObject_SetAttr, (PyObject*, PyObject*, PyObject*))                                  \
  X(int, PyObject_SetAttrString, (PyObject*, const char*, PyObject*))                          \
  X(PyObject*, PyObject_GetItem, (PyObject*, PyObject*))                                       \
  X(PyObject*, PySequence_GetItem, (PyObject*, Py_ssize_t))                                    \
  X(int, PyObject_SetItem, (PyObject*, PyObject*, PyObject*))                                  \
  X(int, PyObject_IsTrue, (PyObject*))                                                         \
  X(PyObject*, PyMethod_Function, (PyObject*))                                                 \
  X(PyObject*, PyMethod_Self, (PyObject*))                                                     \
  X(PyObject*, PyWeakref_NewRef, (PyObject*, PyObject*))                                       \
  X(PyObject*, PyObject_Call, (PyObject*, PyObject*, PyObject*))                               \
  X(PyObject*, PyObject_VectorcallDict, (PyObject*, PyObject* const*, std::size_t, PyObject*)) \
  X(PyObject*, PyObject_VectorcallMethod, (PyObject*, PyObject* const*, std::size_t, PyObject*)) \
  X(Py_ssize_t, PyObject_Size, (PyObject*))                                                     \
  X(PyObject*, PyObject_Str, (PyObject*))                                                      \
  X(PyObject*, PyObject_GetIter, (PyObject*))                                                  \
  X(Py_ssize_t, PyObject_Hash, (PyObject*))                                                    \
  X(PyObject*, PyIter_Next, (PyObject*))                                                       \
  X(int, PyObject_GetBuffer, (PyObject*, Py_buffer*, int))                                     \
  X(void, PyBuffer_Release, (Py_buffer*))                                                      \
  X(PyObject*, PyErr_Occurred, ())                                                             \
  X(void, PyErr_Clear, ())                                                                     \
  X(void, PyErr_Fetch, (PyObject**, PyObject**, PyObject**))                                   \
  X(void, PyErr_Restore, (PyObject*, PyObject*, PyObject*))                                    \
  X(void, PyErr_NormalizeException, (PyObject**, PyObject**, PyObject**))                      \
  X(void, PyErr_SetString, (PyObject*, const char*))                                           \
  X(void, PyErr_SetObject, (PyObject*, PyObject*))                                             \
  X(void, PyErr_WriteUnraisable, (PyObject*))                                                  \
  X(PyObject*, PyErr_NoMemory, ())                                                             \
  X(int, PyException_SetTraceback, (PyObject*, PyObject*))                                     \
  X(PyObject*, PyLong_FromLongLong, (long long))                                               \
  X(PyObject*, PyLong_FromUnsignedLongLong, (unsigned long long))                              \
  X(long long, PyLong_AsLongLongAndOverflow, (PyObject*, int*))                                \
  X(unsigned long, PyLong_AsUnsignedLong, (PyObject*))                                         \
  X(PyObject*, _PyLong_FromByteArray, (const unsigned char*, std::size_t, int, int))           \
  X(PyObject*, PyFloat_FromDouble, (double))                                                   \
  X(double, PyFloat_AsDouble, (PyObject*))                                                     \
  X(PyObject*, PyUnicode_FromStringAndSize, (const char*, Py_ssize_t))                         \
  X(PyObject*, PyUnicode_InternFromString, (const char*))                                      \
  X(void, PyUnicode_InternInPlace, (PyObject**))                                               \
  X(PyObject*, PyUnicode_DecodeUTF8, (const char*, Py_ssize_t, const char*))                   \
  X(PyObject*, PyUnicode_DecodeLatin1, (const char*, Py_ssize_t, const char*))                 \
  X(PyObject*, PyUnicode_DecodeUTF16, (const char*, Py_ssize_t, const char*, int*))            \
  X(PyObject*, PyUnicode_AsEncodedString, (PyObject*, const char*, const char*))               \
  X(const char*, PyUnicode_AsUTF8AndSize, (PyObject*, Py_ssize_t*))                            \
  X(Py_ssize_t, PyUnicode_GetLength, (PyObject*))                                              \
  X(int, PyUnicode_Compare, (PyObject*, PyObject*))                                            \
  X(PyObject*, PyUnicode_FromKindAndData, (int, const void*, Py_ssize_t))                      \
  X(PyObject*, PyBytes_FromStringAndSize, (const char*, Py_ssize_t))                           \
  X(char*, PyBytes_AsString, (PyObject*))                                                      \
  X(int, PyBytes_AsStringAndSize, (PyObject*, char**, Py_ssize_t*))                            \
  X(PyObject*, PyByteArray_FromStringAndSize, (const char*, Py_ssize_t))                       \
  X(char*, PyByteArray_AsString, (PyObject*))                                                  \
  X(Py_ssize_t, PyByteArray_Size, (PyObject*))                                                 \
  X(PyObject*, PyMemoryView_FromObject, (PyObject*))                                           \
  X(PyObject*, PyList_New, (Py_ssize_t))                                                       \
  X(Py_ssize_t, PyList_Size, (PyObject*))                                                      \
  X(PyObject*, PyList_GetItem, (PyObject*, Py_ssize_t))                                        \
  X(int, PyList_SetItem, (PyObject*, Py_ssize_t, PyObject*))                                   \
  X(int, PyList_Append, (PyObject*, PyObject*))                                                \
  X(void, PyObject_GC_UnTrack, (void*))                                                        \
  X(PyObject*, PyTuple_New, (Py_ssize_t))                                                      \
  X(Py_ssize_t, PyTuple_Size, (PyObject*))                                                     \
  X(PyObject*, PyTuple_GetItem, (PyObject*, Py_ssize_t))                                       \
  X(int, PyTuple_SetItem, (PyObject*, Py_ssize_t, PyObject*))                                  \
  X(PyObject*, PyDict_New, ())                                                                 \
  X(int, PyDict_SetItem, (PyObject*, PyObject*, PyObject*))                                    \
  X(int, PyDict_SetItemString, (PyObject*, const char*, PyObject*))                            \
  X(PyObject*, PyDict_GetItemString, (PyObject*, const char*))                                 \
  X(int, PyDict_Next, (PyObject*, Py_ssize_t*, PyObject**, PyObject**))                        \
  X(int, PyDict_Contains, (PyObject*, PyObject*))                                              \
  X(Py_ssize_t, PyDict_Size, (PyObject*))                                                      \
  X(PyObject*, PySet_New, (PyObject*))                                                         \
  X(PyObject*, PyFrozenSet_New, (PyObject*))                                                   \
  X(int, PySet_Contains, (PyObject*, PyObject*))                                               \
  X(int, PySet_Add, (PyObject*, PyObject*))                                                    \
  X(Py_ssize_t, PySet_Size, (PyObject*))                                                       \
  X(PyObject*, PyImport_ImportModule, (const char*))                                           \
  X(PyObject*, PyImport_AddModule, (const char*))                                              \
  X(PyObject*, PyImport_GetModule, (PyObject*))                                                \
  X(PyObject*, PyModule_New, (const char*))                                                    \
  X(PyObject*, PyType_FromSpecWithBases, (PyTypeSpec*, PyObject*))                             \
  X(void*, PyType_GetSlot, (PyObject*, int))                                                   \
  X(PyObject*, PyCFunction_NewEx, (PyMethodDef*, PyObject*, PyObject*))                        \
  X(PyObject*, PyDescr_NewMethod, (PyObject*, PyMethodDef*))                                   \
  X(void, PyType_Modified, (PyObject*))                                                        \
  X(PyObject*, PyCapsule_New, (void*, const char*, void (*)(PyObject*)))                       \
  X(void*, PyCapsule_GetPointer, (PyObject*, const char*))                                     \
  X(PyObject*, PyRun_StringFlags, (const char*, int, PyObject*, PyObject*, void*))             \
  X(PyObject*, PyEval_GetBuiltins, ())                                                          \
  X(PyObject*, PyContext_CopyCurrent, ())                                                      \
  X(int, PyContext_Enter, (PyObject*))                                                         \
  X(int, PyContext_Exit, (PyObject*))                                                          \
  X(PyObject*, PyContextVar_Set, (PyObject*, PyObject*))

/// Null where this Python does not have them.
#define ISOPY_PYTHON_OPTIONAL(X)                                                               \
  X(PyStatus, Py_NewInterpreterFromConfig, (PyThreadState**, const PyInterpreterConfig*))      \
  X(PyObject*, PyObject_Vectorcall, (PyObject*, PyObject* const*, std::size_t, PyObject*))     \
  X(PyThreadState*, PyThreadState_GetUnchecked, ())                                            \
  X(PyThreadState*, _PyThreadState_UncheckedGet, ())                                           \
  X(int, PyWeakref_GetRef, (PyObject*, PyObject**))                                            \
  X(PyObject*, PyWeakref_GetObject, (PyObject*))                                               \
  X(int, PyIter_Send, (PyObject*, PyObject*, PyObject**))                                      \
  X(int, PyGC_Enable, ())                                                                      \
  X(int, PyGC_Disable, ())                                                                     \
  X(PyObject*, _PyDict_NewPresized, (Py_ssize_t))

/// Objects that are embedded in libpython (the symbol is the object).
#define ISOPY_PYTHON_OBJECTS(X)                                                                \
  X(_Py_NoneStruct) X(_Py_TrueStruct) X(_Py_FalseStruct)                                       \
  X(PyBaseObject_Type)                                                                         \
  X(PyBool_Type) X(PyLong_Type) X(PyFloat_Type) X(PyUnicode_Type) X(PyBytes_Type)              \
  X(PyByteArray_Type) X(PyList_Type) X(PyTuple_Type) X(PyDict_Type) X(PySet_Type)              \
  X(PyFrozenSet_Type) X(PyMethod_Type) X(PyCFunction_Type) X(PyCoro_Type) X(PyMethodDescr_Type)

/// Pointers to objects (the symbol holds the object).
#define ISOPY_PYTHON_EXCEPTIONS(X)                                                             \
  X(PyExc_KeyboardInterrupt) X(PyExc_RuntimeError) X(PyExc_TypeError) X(PyExc_ValueError)      \
  X(PyExc_MemoryError) X(PyExc_BufferError) X(PyExc_RecursionError)
// clang-format on

struct PythonApi {
#define ISOPY_MEMBER(result, name, parameters) result(*name) parameters = nullptr;
  ISOPY_PYTHON_FUNCTIONS(ISOPY_MEMBER)
  ISOPY_PYTHON_OPTIONAL(ISOPY_MEMBER)
#undef ISOPY_MEMBER
#define ISOPY_MEMBER(name) PyObject* name = nullptr;
  ISOPY_PYTHON_OBJECTS(ISOPY_MEMBER)
  ISOPY_PYTHON_EXCEPTIONS(ISOPY_MEMBER)
#undef ISOPY_MEMBER

  /// True when `ob_type` may be read at offset 8 and the reference count at offset 0
  /// (GIL builds; verified on a live float right after initialisation).
  bool plain_layout = false;
  /// True when a tuple's size may be read at offset 16 and its items from offset 24 on.
  bool plain_tuples = false;
  /// True when a built-in function's definition and `self` may be read at offsets 16 and 24 (likewise).
  bool plain_functions = false;

  /// vectorcall on every version: `PyObject_Vectorcall` is only exported from 3.11 on.
  PyObject* vectorcall(PyObject* callee, PyObject* const* args, std::size_t nargsf) const {
    return PyObject_Vectorcall != nullptr ? PyObject_Vectorcall(callee, args, nargsf, nullptr)
                                          : PyObject_VectorcallDict(callee, args, nargsf, nullptr);
  }
};

/// The table. Valid after load_python(); written once, before any other thread reads it.
extern PythonApi python_table;
inline const PythonApi& py() { return python_table; }

/// Opens libpython (RTLD_GLOBAL: extension modules do not link it; RTLD_DEEPBIND where asked:
/// Node exports an OpenSSL and a zlib of its own) and fills the table. Empty on success, else
/// one sentence that says what is missing.
std::string load_python(const std::string& library, bool deepbind,
                        const std::vector<std::string>& environment);

/// Keeps this addon mapped for ever: Python holds pointers to its functions and our threads run
/// its code, while Node unloads an addon with the last environment that used it.
void pin_addon();

/// Must be called attached, once, after initialisation.
void verify_layout();

/// The exact type, as a borrowed pointer.
inline PyObject* type_of(PyObject* object) {
  if (py().plain_layout) return reinterpret_cast<PyObject**>(object)[1];
  PyObject* type = py().PyObject_Type(object);
  py().Py_DecRef(type);  // the object keeps its type alive
  return type;
}

/// The size of a list, a tuple or a deque, which lies behind the header (`PyVarObject`).
inline Py_ssize_t var_size(PyObject* object) {
  return py().plain_tuples ? reinterpret_cast<Py_ssize_t*>(object)[2] : py().PyObject_Size(object);
}

/// Of an exact tuple: its size, and a borrowed item below it. (A call per item is a tenth of a small
/// program.)
inline Py_ssize_t tuple_size(PyObject* tuple) {
  return py().plain_tuples ? reinterpret_cast<Py_ssize_t*>(tuple)[2] : py().PyTuple_Size(tuple);
}
inline PyObject* tuple_item(PyObject* tuple, Py_ssize_t index) {
  return py().plain_tuples ? reinterpret_cast<PyObject**>(tuple)[3 + index]
                           : py().PyTuple_GetItem(tuple, index);
}
/// Gives a new tuple an item; takes the reference.
inline void fill_tuple(PyObject* tuple, Py_ssize_t index, PyObject* item) {
  if (py().plain_tuples) {
    reinterpret_cast<PyObject**>(tuple)[3 + index] = item;
  } else {
    py().PyTuple_SetItem(tuple, index, item);
  }
}

/// True only when nobody but the caller's container refers to the object; false when unknown.
inline bool is_unshared(PyObject* object) {
  return py().plain_layout && *reinterpret_cast<std::uint32_t*>(object) == 1;
}

}  // namespace isopy
