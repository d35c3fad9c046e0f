#include "base/text_encoding.h"

#include <string>
#include <string_view>

#include <catch2/catch.hpp>

namespace agent {
namespace {

// NOLINTNEXTLINE(misc-unused-using-decls): it is used.
using std::string_literals::operator""s;

std::string Decoded(const std::string& name, const std::string& bytes) {
  TextEncoding encoding(name);
  encoding.Begin(bytes);
  std::string out = "what was there before";
  encoding.Decode(bytes, out);
  return out;
}

TEST_CASE("encoding: UTF-16 in both byte orders", "[encoding]") {
  CHECK(Decoded("UTF-16LE", "a\0\xe9\0\xac\x20\x3d\xd8\x00\xde"s) == "aé€😀");
  CHECK(Decoded("utf-16be", "\0a\0\xe9\x20\xac\xd8\x3d\xde\x00"s) == "aé€😀");
  CHECK(Decoded("UTF-16LE", ""s).empty());
}

TEST_CASE("encoding: UTF-16 finds its byte order, by mark or by Latin letters", "[encoding]") {
  CHECK(Decoded("UTF-16",
                "\xff\xfe"
                "a\0"s) ==
        "\xEF\xBB\xBF"
        "a");
  CHECK(Decoded("UTF-16", "\xfe\xff\0a"s) ==
        "\xEF\xBB\xBF"
        "a");
  CHECK(Decoded("UTF-16", "a\0b\0"s) == "ab");
  CHECK(Decoded("UTF-16", "\0a\0b"s) == "ab");
  CHECK(Decoded("UTF-16", "\x20\xac\x20\xac"s) == "€€");

  TextEncoding encoding("UTF-16");
  CHECK_FALSE(encoding.begun());
  encoding.Begin("x");
  CHECK_FALSE(encoding.begun());
  encoding.Begin("a\0"s);
  CHECK(encoding.begun());
  encoding.Reset();
  CHECK_FALSE(encoding.begun());
}

TEST_CASE("encoding: broken UTF-16 becomes U+FFFD and goes on", "[encoding]") {
  CHECK(Decoded("UTF-16LE", "a\0\x3d\xd8"s) == "a\uFFFD");  // A half pair at the end.
  CHECK(Decoded("UTF-16LE",
                "\x3d\xd8"
                "b\0"s) ==
        "\uFFFD"
        "b");  // Half a pair before a letter.
  CHECK(Decoded("UTF-16LE",
                "\x00\xde"
                "b\0"s) ==
        "\uFFFD"
        "b");                                        // The second half alone.
  CHECK(Decoded("UTF-16LE", "a\0b"s) == "a\uFFFD");  // Half a unit.
}

TEST_CASE("encoding: legacy encodings, and what is no character in them", "[encoding]") {
  CHECK(Decoded("ISO-8859-1", "caf\xe9") == "café");
  CHECK(Decoded("windows-1252", "\x80 5") == "€ 5");
  CHECK(Decoded("windows-1252", "a\x81z") == "a\uFFFDz");
  CHECK(Decoded("Shift_JIS", "\x93\xfa\x96\x7b") == "日本");
  CHECK(Decoded("Shift_JIS", "x\x93") == "x\uFFFD");
  CHECK(Decoded("KOI8-R", "\xcd\xc9\xd2") == "мир");
  CHECK(Decoded("GB18030", "\xc4\xe3") == "你");
  CHECK(Decoded("ISO-8859-1", std::string(10'000, '\xe9')).size() == 20'000);
}

TEST_CASE("encoding: a line break of UTF-16 is two bytes in their place", "[encoding]") {
  const TextEncoding encoding("UTF-16LE");
  // U+010A has the byte 0x0A, and so has U+0A00; neither is a line break.
  const std::string text =
      "a\0\n\0\n\x01\0\n"
      "b\0\n\0c\0"s;
  CHECK(encoding.EndOfFirstLine(text.data(), text.size()) == 4);
  CHECK(encoding.EndOfLastLine(text.data(), text.size()) == 12);
  CHECK(encoding.EndOfLastLine(text.data(), 11) == 4);
  CHECK(encoding.EndOfFirstLine(text.data(), 3) == 0);
  CHECK(encoding.EndOfLastLine(text.data(), 0) == 0);
}

TEST_CASE("encoding: names that will do, and those that will not", "[encoding]") {
  for (const char* name : {"", "utf-8", "US-ASCII", "UTF-16", "utf-16le", "ISO-8859-15", "latin1",
                           "windows-1251", "EUC-JP", "Big5", "GBK"}) {
    INFO(name);
    CHECK(TextEncoding::WhatIsWrongWith(name).empty());
  }
  for (const char* name : {"klingon", "UTF-32", "UTF-16LE//IGNORE", "../x", "a b", "IBM037"}) {
    INFO(name);
    CHECK_FALSE(TextEncoding::WhatIsWrongWith(name).empty());
  }
}

}  // namespace
}  // namespace agent
