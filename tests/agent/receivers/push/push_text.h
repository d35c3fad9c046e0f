// Push requests made by hand.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace agent {

inline std::string ProtoVarint(uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7U)
    out += static_cast<char>((value & 0x7FU) | 0x80U);
  return out + static_cast<char>(value);
}

inline std::string ProtoBytes(uint64_t number, std::string_view bytes) {
  return ProtoVarint(number << 3U | 2U) + ProtoVarint(bytes.size()) + std::string(bytes);
}

inline std::string ProtoNumber(uint64_t number, int64_t value) {
  return ProtoVarint(number << 3U) + ProtoVarint(static_cast<uint64_t>(value));
}

inline std::string ProtoTime(int64_t seconds, int64_t nanos) {
  return ProtoBytes(1, ProtoNumber(1, seconds) + ProtoNumber(2, nanos));
}

inline std::string ProtoEntry(int64_t seconds, int64_t nanos, std::string_view line,
                              std::string_view more = {}) {
  return ProtoBytes(2, ProtoTime(seconds, nanos) + ProtoBytes(2, line) + std::string(more));
}

inline std::string ProtoStream(std::string_view labels, std::string_view entries) {
  return ProtoBytes(1, ProtoBytes(1, labels) + std::string(entries));
}

}  // namespace agent
