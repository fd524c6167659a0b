/// What is known of Python types, so that an object becomes a ref without calling Python.
///
/// Classes are held weakly: a type that died and another at its address are told apart.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "gil.h"

namespace isopy {

struct TypeInfo {
  PyOwned weak;  // a weak reference to the type
  std::int32_t index = 0;
  std::int32_t flags = 0;
  std::string name;
  /// Its instances are refs where data would be copied; and where a ref was asked for.
  bool alone = false, keeps = false;
  /// JavaScript knows the name behind the index.
  bool told = false;
};

class TypeBook {
 public:
  /// What is known of the type of `value`, asking `reference` (`_isopy.synchronous`) the first time.
  /// Null when the object itself decides, or with a Python error.
  TypeInfo* find(const Gil& gil, PyObject* value, const PyOwned& reference);
  /// The name behind an index, which JavaScript knows from now on; null when the index was never given out.
  const std::string* tell(const Gil&, std::size_t index) {
    if (index >= infos_.size()) return nullptr;
    infos_[index].told = true;
    return &infos_[index].name;
  }

 private:
  TypeInfo* examine(const Gil& gil, PyObject* type, PyObject* value, const PyOwned& reference);
  /// Drops what is known of types that are gone.
  void prune(const Gil& gil);

  std::unordered_map<PyObject*, std::int32_t> by_type_;
  std::vector<TypeInfo> infos_;
  std::vector<std::int32_t> free_;
  std::size_t prune_at_ = 1024;
};

}  // namespace isopy
