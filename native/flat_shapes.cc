#include "flat_shapes.h"

#include <cstring>

namespace isopy {

bool FlatShapes::points(Shape& shape, PyObject* const* keys, std::size_t count) const {
  if (shape.keys.size() != count) return false;
  if (shape.round == round_) return std::memcmp(shape.pointers.data(), keys, count * sizeof(PyObject*)) == 0;
  for (std::size_t i = 0; i < count; i++) {
    if (shape.keys[i].get() != keys[i]) return false;
  }
  return true;
}

FlatShapes::Found FlatShapes::known(std::int32_t number, std::int32_t& shape) {
  expected() = number;
  last_ = shape = number;
  return Found::kKnown;
}

FlatShapes::Found FlatShapes::find(PyObject* const* keys, std::size_t count, std::int32_t& shape) {
  if (shapes_.empty()) shapes_.resize(flat::kShapes);
  const std::int32_t next = expected();
  if (next != kNobody && points(shapes_[static_cast<std::size_t>(next)], keys, count))
    return known(next, shape);
  std::uint64_t hash = count;
  for (std::size_t i = 0; i < count; i++) {
    if (type_of(keys[i]) != py().PyUnicode_Type) return Found::kNotText;
    hash = (hash ^ static_cast<std::uint64_t>(py().PyObject_Hash(keys[i]))) * 0x9E3779B97F4A7C15ull;
    hash ^= hash >> 29;
  }
  if (hash == 0) hash = 1;
  // Two places for each, so that two shapes in use seldom drive each other out.
  const std::size_t first = hash >> 40 & (flat::kShapes - 1);
  std::size_t place = first;
  for (std::size_t at : {first, first ^ 1}) {
    Shape& one = shapes_[at];
    if (one.keys.empty()) place = at;
    if (one.hash != hash || one.keys.size() != count) continue;
    if (!points(one, keys, count)) {
      std::size_t same = 0;
      while (same < count && (one.keys[same].get() == keys[same] ||
                              py().PyUnicode_Compare(one.keys[same].get(), keys[same]) == 0))
        same++;
      if (same < count) continue;
      one.pointers.assign(keys, keys + count);
      one.round = round_;
    }
    return known(static_cast<std::int32_t>(at), shape);
  }
  if (sighted_[first] != hash) {
    sighted_[first] = hash;
    last_ = kNobody;
    return Found::kLoose;
  }
  Shape& made = shapes_[place];
  made.keys.clear();
  for (std::size_t i = 0; i < count; i++) made.keys.push_back(PyOwned::share(keys[i]));
  made.pointers.assign(keys, keys + count);
  made.round = round_;
  made.hash = hash;
  made.next = static_cast<std::int32_t>(place);
  made_.push_back(static_cast<std::int32_t>(place));
  known(static_cast<std::int32_t>(place), shape);
  return Found::kNew;
}

void FlatShapes::undo() {
  for (const std::int32_t number : made_) {
    Shape& shape = shapes_[static_cast<std::size_t>(number)];
    shape.keys.clear();
    shape.hash = 0;
  }
  made_.clear();
}

void FlatShapes::clear() {
  shapes_.clear();
  made_.clear();
  last_ = first_ = kNobody;
}

}  // namespace isopy
