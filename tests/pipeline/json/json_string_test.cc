// How a text is written as a JSON string.

#include <array>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/utf8.h"
#include "pipeline/json/json_writer.h"

// Comes last: it has a CHECK of its own.
// clang-format off
#include <catch2/catch.hpp>
// clang-format on

namespace agent {
namespace {

std::string Written(std::string_view text) {
  std::string out;
  AppendJsonString(text, out);
  return out;
}

// The same, one character after the other.
std::string WrittenPlainly(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  const auto escaped = [&](char32_t rune) {
    std::string out = "\\u";
    for (const unsigned shift : {12U, 8U, 4U, 0U})
      out += kHex[(rune >> shift) & 0xF];
    return out;
  };
  std::string out = "\"";
  while (!text.empty()) {
    const DecodedRune rune = DecodeRune(text);
    const std::string_view bytes = text.substr(0, rune.size);
    text.remove_prefix(rune.size);
    if (bytes == "\"" || bytes == "\\") {
      out += "\\" + std::string(bytes);
    } else if (bytes == "\n") {
      out += "\\n";
    } else if (bytes == "\r") {
      out += "\\r";
    } else if (bytes == "\t") {
      out += "\\t";
    } else if (!rune.valid || rune.rune < 0x20 || rune.rune == '<' || rune.rune == '>' ||
               rune.rune == '&' || rune.rune == 0x2028 || rune.rune == 0x2029) {
      out += escaped(rune.rune);
    } else {
      out += bytes;
    }
  }
  return out + "\"";
}

}  // namespace

TEST_CASE("json string: every byte, and every rune near a border", "[json]") {
  for (unsigned byte = 0; byte < 256; ++byte) {
    const std::string text(1, static_cast<char>(byte));
    INFO(byte);
    CHECK(Written(text) == WrittenPlainly(text));
    CHECK(Written("0123456789abcdef" + text + "x") ==
          WrittenPlainly("0123456789abcdef" + text + "x"));
  }
  for (const char32_t rune :
       {0x7FU, 0x80U, 0x7FFU, 0x800U, 0xFFFU, 0x1000U, 0x2027U, 0x2028U, 0x2029U, 0x202AU, 0xCFFFU,
        0xD7FFU, 0xE000U, 0xFFFDU, 0xFFFFU, 0x10000U, 0x10FFFFU}) {
    std::string text = "a";
    AppendUtf8(rune, text);
    text += "b";
    INFO(static_cast<uint32_t>(rune));
    CHECK(Written(text) == WrittenPlainly(text));
  }
  CHECK(Written("") == "\"\"");
  CHECK(Written("<a&b>\b\x7f") == "\"\\u003ca\\u0026b\\u003e\\u0008\x7f\"");
}

TEST_CASE("json string: made by chance, with characters cut anywhere", "[json]") {
  static constexpr std::array<std::string_view, 20> kPieces = {"plain text of some length",
                                                               "a",
                                                               "\"",
                                                               "\\",
                                                               "\n",
                                                               "<",
                                                               "\x01",
                                                               "\xc3\xa9",
                                                               "\xe6\x97\xa5",
                                                               "\xe2\x80\xa8",
                                                               "\xe2\x80\xa9",
                                                               "\xe2\x80\xaa",
                                                               "\xf0\x9f\x98\x80",
                                                               "\xed\xa0\x80",
                                                               "\xc3",
                                                               "\xe6\x97",
                                                               "\xf0\x9f",
                                                               "\x80",
                                                               "\xff",
                                                               "\xe0\x80\x80"};
  Random random(7);
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (uint64_t left = random.Next() % 12; left > 0; --left)
      text += kPieces[random.Next() % kPieces.size()];
    INFO(i);
    REQUIRE(Written(text) == WrittenPlainly(text));
  }
}

}  // namespace agent
