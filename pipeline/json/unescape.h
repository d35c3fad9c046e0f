// Copies a long JSON string and decodes its escapes on the way: the log line inside Docker's
// wrapper, which is the hottest loop of a Docker pipeline. Vectorised, by what the processor has.

#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace agent {

// `quote` is where the string ends, `size` how much was written; or `quote` is null: there is no
// end, or something that is unusual or wrong, and the complete parser must look at it.
struct Unescaped {
  const char* quote = nullptr;
  std::size_t size = 0;
};

// Decodes from `p` (after the opening quote) up to the closing one. Up to 64 bytes past `end` may
// be read, and written past what fits into `end - p` bytes at `out`.
using UnescapeFunction = Unescaped (*)(const char* p, const char* end, char* out);

struct UnescapeVariant {
  std::string_view name;
  UnescapeFunction unescape;
};

// Those that this processor can run, the fastest first. Never empty.
std::span<const UnescapeVariant> UnescapeVariants();

}  // namespace agent
