#include "large_copy.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "copying_thread.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif
#ifdef __linux__
#include <sys/mman.h>
#endif

namespace isopy {

namespace {

/// Below it the caches win, and a thread comes too late (2 MB: 0.04 ms alone, 0.045 by two).
constexpr std::size_t kLarge = std::size_t{4} << 20;

void copy(unsigned char* to, const unsigned char* from, std::size_t size) { std::memcpy(to, from, size); }

#ifdef __SSE2__
constexpr std::size_t kLine = 64;
/// How far ahead is read.
constexpr std::size_t kAhead = 512;

void copy_past_caches(unsigned char* to, const unsigned char* from, std::size_t size) {
  const std::size_t odd = std::min(size, (kLine - reinterpret_cast<std::uintptr_t>(to) % kLine) % kLine);
  std::memcpy(to, from, odd);
  to += odd, from += odd, size -= odd;
  for (; size >= kLine; to += kLine, from += kLine, size -= kLine) {
    _mm_prefetch(reinterpret_cast<const char*>(from + kAhead), _MM_HINT_NTA);
    const auto* in = reinterpret_cast<const __m128i*>(from);
    auto* out = reinterpret_cast<__m128i*>(to);
    const __m128i a = _mm_loadu_si128(in), b = _mm_loadu_si128(in + 1);
    const __m128i c = _mm_loadu_si128(in + 2), d = _mm_loadu_si128(in + 3);
    _mm_stream_si128(out, a);
    _mm_stream_si128(out + 1, b);
    _mm_stream_si128(out + 2, c);
    _mm_stream_si128(out + 3, d);
  }
  std::memcpy(to, from, size);
  _mm_sfence();  // other threads read it after an ordinary store
}
#else
constexpr CopyPiece copy_past_caches = &copy;
#endif

void copy_any(CopyPiece large, void* to, const void* from, std::size_t size) {
  if (size >= kLarge)
    copy_by_two(large, static_cast<unsigned char*>(to), static_cast<const unsigned char*>(from), size);
  else if (size > 0)
    std::memcpy(to, from, size);
}

}  // namespace

void copy_in(void* to, const void* from, std::size_t size) { copy_any(&copy, to, from, size); }

void copy_out(void* to, const void* from, std::size_t size) { copy_any(&copy_past_caches, to, from, size); }

void expect_large_writes(void* memory, std::size_t size) {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  // From here on glibc takes memory from the system in any case; smaller blocks are used again.
  constexpr std::size_t kAlwaysFresh = std::size_t{32} << 20;
  constexpr std::uintptr_t kHuge = std::size_t{2} << 20;
  if (size < kAlwaysFresh) return;
  const auto begin = (reinterpret_cast<std::uintptr_t>(memory) + kHuge - 1) & ~(kHuge - 1);
  const auto end = (reinterpret_cast<std::uintptr_t>(memory) + size) & ~(kHuge - 1);
  // A system without them says so, and nothing is lost.
  (void)madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
#else
  (void)memory, (void)size;
#endif
}

}  // namespace isopy
