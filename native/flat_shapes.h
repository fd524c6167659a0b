/// Sequences of dict keys that were seen before, so that a dict needs a number instead of its keys.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "flat.h"
#include "gil.h"

namespace isopy {

/// Shapes of dicts on their way to JavaScript. Keys are compared by pointer with the shape that followed the
/// last one before, and by content where that fails: keys of another dict are often other objects.
///
/// Belongs to one engine in one environment. JavaScript holds what `define` said to it; what it never
/// got to know must be taken back.
class FlatShapes {
 public:
  enum class Found { kKnown, kNew, kLoose, kNotText };

  void begin() { round_++, made_.clear(), last_ = kNobody; }
  /// Attached: the shape of these keys. kNew: it must be defined in this message. kLoose: first seen, nothing
  /// is kept.
  Found find(PyObject* const* keys, std::size_t count, std::int32_t& shape);
  /// The message was not sent: what it defined is forgotten.
  void undo();
  /// Attached.
  void clear();

 private:
  static constexpr std::int32_t kNobody = -1;
  struct Shape {
    std::vector<PyOwned> keys;  // exact str
    /// The objects that had this shape last in the message of `round`: pointers that are good while it is
    /// written.
    std::vector<PyObject*> pointers;
    std::uint64_t hash = 0;
    std::uint64_t round = 0;
    std::int32_t next = kNobody;  // what came after it
  };
  std::int32_t& expected() {
    return last_ == kNobody ? first_ : shapes_[static_cast<std::size_t>(last_)].next;
  }
  bool points(Shape& shape, PyObject* const* keys, std::size_t count) const;
  Found known(std::int32_t number, std::int32_t& shape);

  std::vector<Shape> shapes_;
  std::array<std::uint64_t, flat::kShapes> sighted_{};
  std::vector<std::int32_t> made_;
  std::uint64_t round_ = 1;
  std::int32_t last_ = kNobody;
  std::int32_t first_ = kNobody;  // what the last message began with
};

}  // namespace isopy
