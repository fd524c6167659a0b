/// The flat format: plain data as slots of 8 bytes in memory that JavaScript sees too (ADR 0014).
///
/// Private to the addon and `src/core/marshal/flat-*.ts`, which must say the same. A slot is a tag and
/// an argument (int32 each, the tag first) or eight raw bytes. Text is beside it: all strings of a message
/// are one string, in the order of their slots, and lengths are UTF-16 units.
#pragma once

#include <cstddef>
#include <cstdint>

namespace isopy::flat {

enum Tag : std::int32_t {
  kNone = 0,
  kFalse = 1,
  kTrue = 2,
  kInt = 3,        // argument: the number
  kFloat = 4,      // a double follows
  kWide = 5,       // a double follows that is an int
  kBig = 6,        // an int64 follows
  kText = 7,       // argument: units of the message's text
  kTextAgain = 8,  // argument: the slot of a text
  kShortText = 9,  // argument: Latin-1 bytes that follow (to Python)
  kList = 10,      // argument: items that follow, as in all containers
  kFloats = 11,    // raw doubles follow (a list of floats to JavaScript)
  kInts = 12,      // raw int32s follow (a list of ints to JavaScript)
  kRun = 13,       // raw doubles follow: so many items of the list around it (to Python)
  kTuple = 14,
  kSet = 15,
  kFrozenset = 16,
  kDict = 17,        // argument: the shape; its values follow
  kNewDict = 18,     // argument: the shape; a slot with the number of keys, the keys, the values
  kObject = 19,      // keys (text) and values in turn
  kMap = 20,         // keys and values in turn
  kAgain = 21,       // argument: the slot (to JavaScript) or the number (to Python) of a container
  kBytes = 22,       // argument: bytes that follow
  kByteArray = 23,   // likewise
  kBuffer = 24,      // argument: the number of a buffer beside the message
  kByteBuffer = 25,  // the same, as a bytearray
  kView = 26,  // the same, as a writable memoryview; a slot with its format, a letter of `struct` (to Python)
};
constexpr std::int32_t kTagMask = 31;
/// To JavaScript: it is referred to again; inside itself, so that it must exist before its parts.
constexpr std::int32_t kKept = 32, kOpen = 64;

/// Levels; deeper values are streams. Both sides recurse.
constexpr int kDeepest = 80;
constexpr std::size_t kMaxKeys = 64;
/// Shapes that are remembered; a number of a shape is below this.
constexpr std::size_t kShapes = 512;
/// Longer bytes are buffers beside the message.
constexpr std::size_t kInlineBytes = 512;
/// Memory that a message of unusual size needed is given back above this many slots.
constexpr std::size_t kKeptSlots = std::size_t{1} << 20;
constexpr std::size_t kMostSlots = std::size_t{1} << 28;

}  // namespace isopy::flat
