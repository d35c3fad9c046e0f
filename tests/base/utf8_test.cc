#include "base/utf8.h"

#include <string>

#include <catch2/catch.hpp>

namespace agent {
namespace {

std::string Sanitized(std::string_view text) {
  std::string out;
  AppendSanitized(text, out);
  return out;
}

TEST_CASE("utf8: well-formed text is valid, also behind a long ASCII prefix", "[utf8]") {
  const char* text =
      GENERATE("", "a", "plain text of some length", "\xC3\xA9", "\xE4\xB8\x96", "\xF0\x9F\x98\x80",
               "\xF4\x8F\xBF\xBF", "\xED\x9F\xBF", "a long ASCII prefix \xC3\xA9 and more");
  CHECK(IsValidUtf8(text));
  CHECK(Sanitized(text) == text);
}

TEST_CASE("utf8: each invalid byte becomes one U+FFFD", "[utf8]") {
  struct Case {
    const char* name;
    std::string text;
    int bad;
  };
  const auto c = GENERATE(values<Case>({
      {"lone continuation", "\x80", 1},
      {"never a lead byte", "\xFF", 1},
      {"overlong slash", "\xC0\xAF", 2},
      {"overlong of three", "\xE0\x80\xAF", 3},
      {"overlong of four", "\xF0\x80\x80\xAF", 4},
      {"surrogate", "\xED\xA0\x80", 3},
      {"beyond U+10FFFF", "\xF4\x90\x80\x80", 4},
      {"cut off after one", "\xC3", 1},
      {"cut off after two", "\xE4\xB8", 2},
      {"cut off after three", "\xF0\x9F\x98", 3},
  }));
  INFO(c.name);
  std::string want = "x";
  for (int i = 0; i < c.bad; ++i)
    want += "\xEF\xBF\xBD";
  want += "y";

  CHECK_FALSE(IsValidUtf8(c.text));
  CHECK(Sanitized("x" + c.text + "y") == want);
}

TEST_CASE("utf8: what is appended decodes to the same rune", "[utf8]") {
  const char32_t rune = GENERATE(0x0U, 0x7FU, 0x80U, 0x7FFU, 0x800U, 0xD7FFU, 0xE000U, 0xFFFDU,
                                 0xFFFFU, 0x10000U, 0x10FFFFU);
  std::string text;
  AppendUtf8(rune, text);

  const DecodedRune decoded = DecodeRune(text);

  CHECK(decoded.valid);
  CHECK(decoded.rune == rune);
  CHECK(decoded.size == text.size());
}

TEST_CASE("utf8: what is no rune is appended as U+FFFD", "[utf8]") {
  const char32_t rune = GENERATE(0xD800U, 0xDFFFU, 0x110000U);
  std::string text;
  AppendUtf8(rune, text);
  CHECK(text == "\xEF\xBF\xBD");
}

TEST_CASE("utf8: the replacement rune itself is valid", "[utf8]") {
  const DecodedRune decoded = DecodeRune("\xEF\xBF\xBD");
  CHECK(decoded.valid);
  CHECK(decoded.size == 3);
}

}  // namespace
}  // namespace agent
