#include "discovery/md5.h"

#include <bit>
#include <cmath>
#include <cstddef>
#include <string>

namespace agent {
namespace {

constexpr std::size_t kBlock = 64;

constexpr std::array<std::array<int, 4>, 4> kShifts = {
    {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}}};

// The constants of RFC 1321: the fraction of |sin(i + 1)|.
std::array<uint32_t, 64> MakeSines() {
  std::array<uint32_t, 64> sines{};
  for (std::size_t i = 0; i < sines.size(); ++i) {
    sines[i] = static_cast<uint32_t>(std::fabs(std::sin(static_cast<double>(i + 1))) * 0x1p32);
  }
  return sines;
}

uint32_t LittleEndian(std::string_view bytes) {
  uint32_t word = 0;
  for (std::size_t i = 4; i-- > 0;)
    word = (word << 8) | static_cast<uint8_t>(bytes[i]);
  return word;
}

using State = std::array<uint32_t, 4>;

void AddBlock(std::string_view block, State& state) {
  static const std::array<uint32_t, 64> kSines = MakeSines();
  auto [a, b, c, d] = state;
  for (std::size_t i = 0; i < 64; ++i) {
    uint32_t mixed = 0;
    std::size_t word = i;
    switch (i / 16) {
      case 0:
        mixed = (b & c) | (~b & d);
        break;
      case 1:
        mixed = (d & b) | (~d & c);
        word = 5 * i + 1;
        break;
      case 2:
        mixed = b ^ c ^ d;
        word = 3 * i + 5;
        break;
      default:
        mixed = c ^ (b | ~d);
        word = 7 * i;
    }
    mixed += a + kSines[i] + LittleEndian(block.substr(word % 16 * 4, 4));
    a = d;
    d = c;
    c = b;
    b += std::rotl(mixed, kShifts[i / 16][i % 4]);
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
}

}  // namespace

std::array<uint8_t, 16> Md5(std::string_view text) {
  State state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
  std::string padded(text);
  padded += '\x80';
  while (padded.size() % kBlock != kBlock - 8)
    padded += '\0';
  const uint64_t bits = text.size() * 8;
  for (int i = 0; i < 8; ++i)
    padded += static_cast<char>((bits >> (8 * i)) & 0xFF);
  for (std::size_t at = 0; at < padded.size(); at += kBlock) {
    AddBlock(std::string_view(padded).substr(at, kBlock), state);
  }
  std::array<uint8_t, 16> digest{};
  for (std::size_t i = 0; i < digest.size(); ++i) {
    digest[i] = static_cast<uint8_t>(state[i / 4] >> (8 * (i % 4)));
  }
  return digest;
}

}  // namespace agent
