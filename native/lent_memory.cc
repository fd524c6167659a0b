#include "lent_memory.h"

#include <array>
#include <string>

#include "backing_store.h"
#include "interpreter.h"
#include "sync_results.h"
#include "sync_scope.h"

namespace isopy {

namespace {

/// What a memoryview can have (PyBUF_MAX_NDIM).
constexpr std::uint32_t kMostAxes = 64;
constexpr double kMaxSafeInteger = 9007199254740991.0;

/// An array in memory that JavaScript has; owned by its Python object. Touched attached.
struct Memory {
  BackingStore store;
  unsigned char* first = nullptr;
  Py_ssize_t size = 0, width = 1;  // bytes
  std::string format;
  std::vector<Py_ssize_t> shape, strides;
  bool readonly = false, c_order = true, f_order = true;
  Py_ssize_t exports = 0;
  bool over = false;
};

/// How large a bare Python object is; of this process's Python, and written once.
std::size_t object_size = 0;
PyObject* memory_type = nullptr;  // the main interpreter's, for ever

Memory*& memory_of(PyObject* self) {
  return *reinterpret_cast<Memory**>(reinterpret_cast<char*>(self) + object_size);
}

void memory_dealloc(PyObject* self) {
  delete memory_of(self);
  PyObject* type = type_of(self);
  auto* free = reinterpret_cast<void (*)(void*)>(py().PyType_GetSlot(type, kTypeFree));
  free(self);
  py().Py_DecRef(type);  // a heap type is owned by its instances
}

int refuse_buffer(Py_buffer* buffer, const char* why) {
  buffer->obj = nullptr;
  py().PyErr_SetString(py().PyExc_BufferError, why);
  return -1;
}

int memory_get_buffer(PyObject* self, Py_buffer* buffer, int flags) {
  Memory* memory = memory_of(self);
  if (memory == nullptr || memory->over)
    return refuse_buffer(buffer, "the JavaScript call that this memory was lent for is over");
  const auto asks = [flags](int flag) { return (flags & flag) == flag; };
  if (asks(kPyBufWritable) && memory->readonly) return refuse_buffer(buffer, "the memory is lent read-only");
  if (((asks(kPyBufCContiguous) || !asks(kPyBufStrides)) && !memory->c_order) ||
      (asks(kPyBufFContiguous) && !memory->f_order) ||
      (asks(kPyBufAnyContiguous) && !memory->c_order && !memory->f_order))
    return refuse_buffer(buffer, "the elements do not lie in this order");
  *buffer = {};
  buffer->buf = memory->first;
  buffer->len = memory->size;
  buffer->itemsize = memory->width;
  buffer->readonly = memory->readonly ? 1 : 0;
  buffer->ndim = asks(kPyBufNd) ? static_cast<int>(memory->shape.size()) : 1;
  if (asks(kPyBufFormat)) buffer->format = memory->format.data();
  if (asks(kPyBufNd)) buffer->shape = memory->shape.data();
  if (asks(kPyBufStrides)) buffer->strides = memory->strides.data();
  py().Py_IncRef(self);
  buffer->obj = self;
  memory->exports++;
  return 0;
}

void memory_release_buffer(PyObject* self, Py_buffer*) {
  Memory* memory = memory_of(self);
  if (--memory->exports == 0 && memory->over) memory->store.let_go();
}

bool read_integer(napi_env env, napi_value array, std::uint32_t at, Py_ssize_t& integer) {
  napi_value value;
  double number = 0;
  if (napi_get_element(env, array, at, &value) != napi_ok ||
      napi_get_value_double(env, value, &number) != napi_ok || number > kMaxSafeInteger ||
      number < -kMaxSafeInteger)
    return false;
  integer = static_cast<Py_ssize_t>(number);
  return static_cast<double>(integer) == number;
}

/// Shape and strides, when every element lies in the `length` bytes from `first` on. Moves `first`.
bool read_axes(napi_env env, const SyncArguments& given, std::size_t length, Memory& memory) {
  std::uint32_t axes = 0, steps = 0;
  double start = 0;
  if (napi_get_array_length(env, given[4], &axes) != napi_ok ||
      napi_get_array_length(env, given[5], &steps) != napi_ok || axes != steps || axes > kMostAxes ||
      napi_get_value_double(env, given[6], &start) != napi_ok || !(start >= 0) ||
      start > static_cast<double>(length))
    return false;
  memory.shape.resize(axes);
  memory.strides.resize(axes);
  memory.size = memory.width;
  Py_ssize_t low = static_cast<Py_ssize_t>(start), high = low;
  for (std::uint32_t axis = 0; axis < axes; axis++) {
    Py_ssize_t &count = memory.shape[axis], &step = memory.strides[axis], reach = 0;
    if (!read_integer(env, given[4], axis, count) || !read_integer(env, given[5], axis, step) || count < 0 ||
        __builtin_mul_overflow(memory.size, count, &memory.size))
      return false;
    if (count > 0 && (__builtin_mul_overflow(count - 1, step, &reach) ||
                      __builtin_add_overflow(reach < 0 ? low : high, reach, reach < 0 ? &low : &high)))
      return false;
  }
  if (memory.size > 0 && (low < 0 || high > static_cast<Py_ssize_t>(length) - memory.width)) return false;
  Py_ssize_t next = memory.width;
  for (std::size_t axis = axes; axis-- > 0; next *= memory.shape[axis])
    memory.c_order = memory.c_order && (memory.shape[axis] <= 1 || memory.strides[axis] == next);
  next = memory.width;
  for (std::size_t axis = 0; axis < axes; next *= memory.shape[axis++])
    memory.f_order = memory.f_order && (memory.shape[axis] <= 1 || memory.strides[axis] == next);
  if (memory.size == 0) memory.c_order = memory.f_order = true;
  memory.first += static_cast<std::size_t>(start);
  return true;
}

/// Null when the arguments make no sense (nothing is thrown).
std::unique_ptr<Memory> read_memory(napi_env env, const SyncArguments& given) {
  static unsigned char nothing[1];  // where no memory begins
  auto memory = std::make_unique<Memory>();
  napi_typedarray_type type = napi_int8_array;
  napi_value buffer;
  void* data = nullptr;
  std::size_t length = 0, offset = 0, written = 0;
  std::array<char, 4> format{};
  std::uint32_t width = 0;
  bool typed = false;
  if (napi_is_typedarray(env, given[0], &typed) != napi_ok || !typed ||
      napi_get_typedarray_info(env, given[0], &type, &length, &data, &buffer, &offset) != napi_ok ||
      type != napi_uint8_array ||
      napi_get_value_string_latin1(env, given[1], format.data(), format.size(), &written) != napi_ok ||
      napi_get_value_uint32(env, given[2], &width) != napi_ok || width == 0 || width > 16 ||
      napi_get_value_bool(env, given[3], &memory->readonly) != napi_ok)
    return nullptr;
  memory->format.assign(format.data(), written);
  memory->width = width;
  memory->first = data == nullptr ? nothing : static_cast<unsigned char*>(data);
  if (given.count() > 4) {
    if (!read_axes(env, given, length, *memory)) return nullptr;
  } else {
    memory->size = static_cast<Py_ssize_t>(length);
    memory->shape = {memory->size / memory->width};
    memory->strides = {memory->width};
    if (memory->size % memory->width != 0) return nullptr;
  }
  memory->store = BackingStore::of(buffer);
  return memory;
}

PyOwned call_method(PyObject* object, const char* name) {
  PyOwned method = PyOwned::steal(py().PyObject_GetAttrString(object, name));
  return method ? PyOwned::steal(py().vectorcall(method.get(), nullptr, 0)) : PyOwned();
}

/// Whether nothing refers to the memory any more.
bool release_view(const Gil&, const Loan& loan) {
  // BufferError: there are exports of the memoryview. They are counted, so nothing else has to be known.
  if (!call_method(loan.view.get(), "release")) py().PyErr_Clear();
  return memory_of(loan.memory.get())->exports == 0;
}

/// Garbage counts as kept until it is collected: frames and closures refer to each other.
void collect_garbage(const Gil&) {
  PyOwned gc = PyOwned::steal(py().PyImport_ImportModule("gc"));
  if (!gc || !call_method(gc.get(), "collect")) py().PyErr_Clear();
}

}  // namespace

bool install_lent_memory(const Gil&) {
  PyOwned bare = PyOwned::steal(py().PyObject_GetAttrString(py().PyBaseObject_Type, "__basicsize__"));
  if (!bare) return false;
  object_size = py().PyLong_AsUnsignedLong(bare.get());
  PyTypeSlot slots[] = {{kTypeDealloc, type_slot(&memory_dealloc)},
                        {kTypeGetBuffer, type_slot(&memory_get_buffer)},
                        {kTypeReleaseBuffer, type_slot(&memory_release_buffer)},
                        {0, nullptr}};
  PyTypeSpec spec = {"_isopy_native.LentMemory", static_cast<int>(object_size + sizeof(Memory*)), 0,
                     kTypeFinalFlags, slots};
  memory_type = py().PyType_FromSpecWithBases(&spec, nullptr);
  return memory_type != nullptr;
}

napi_value lend_memory(napi_env env, napi_callback_info info) {
  SyncArguments given(env, info);
  if (!given) return nullptr;
  if (!BackingStore::can_hold(env))
    return throw_argument(env, "lend: this runtime lets nobody hold its memory");
  std::unique_ptr<Memory> memory = read_memory(env, given);
  if (memory == nullptr)
    return throw_argument(env,
                          "lend needs a Uint8Array, a format, an item size, whether it is read-only, "
                          "and shape, strides and start within the bytes");
  EngineContext& context = given.context();
  SyncScope scope(context);
  if (scope.closed(env)) return nullptr;
  Loan loan;
  loan.memory = PyOwned::steal(py().vectorcall(memory_type, nullptr, 0));
  if (!loan.memory) return deliver_error(scope.token(), env, context);
  memory_of(loan.memory.get()) = memory.release();
  loan.view = PyOwned::steal(py().PyMemoryView_FromObject(loan.memory.get()));
  if (!loan.view) return deliver_error(scope.token(), env, context);
  loan.handle = context.engine->handles.introduce(scope.token(), loan.view.get());
  napi_value handle;
  if (loan.handle == 0 || napi_create_double(env, static_cast<double>(loan.handle), &handle) != napi_ok) {
    napi_throw_error(env, "ERR_LIMIT", "There are no handles left.");
    return nullptr;
  }
  context.loans.push_back(std::move(loan));
  return handle;
}

napi_value end_loans(napi_env env, napi_callback_info info) {
  Arguments given(env, info);  // an engine that was closed during the call has loans to end, too
  EngineContext& context = given.context();
  std::uint32_t count = 0;
  if (napi_get_value_uint32(env, given[0], &count) != napi_ok || count > context.loans.size())
    return throw_argument(env, "endLoans needs the number of loans to end");
  bool free = true;
  if (count > 0) {
    SyncScope scope(context);
    const auto from = context.loans.end() - static_cast<std::ptrdiff_t>(count);
    // Out of the list first: collecting garbage may run a finalizer that calls JavaScript, which lends more.
    Loans ended(std::make_move_iterator(from), std::make_move_iterator(context.loans.end()));
    context.loans.erase(from, context.loans.end());
    for (Loan& loan : ended) {
      context.engine->release_handle(scope.token(), loan.handle, 1);
      free = release_view(scope.token(), loan) && free;
    }
    if (!free) {
      collect_garbage(scope.token());
      free = true;
      for (Loan& loan : ended) free = release_view(scope.token(), loan) && free;
    }
    for (Loan& loan : ended) {
      Memory& memory = *memory_of(loan.memory.get());
      memory.over = true;
      if (memory.exports == 0) memory.store.let_go();
    }
  }
  napi_value result;
  return napi_get_boolean(env, free, &result) == napi_ok ? result : nullptr;
}

}  // namespace isopy
