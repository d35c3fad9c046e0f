#include "pipeline/json/unescape.h"

#include <random>
#include <string>
#include <string_view>

#include <catch2/catch.hpp>

#include "pipeline/json/docker_line.h"
#include "pipeline/json/json_strings.h"
#include "tests/support/padded_text.h"

namespace agent {
namespace {

// What is decoded of the inside of a string and what follows it; "unusual" where that is left to
// others.
std::string Decode(const UnescapeVariant& variant, std::string_view text) {
  const PaddedText padded(text);
  const std::string_view view = padded.view();
  std::string out(view.size() + kTextPadding, '\0');
  const Unescaped result = variant.unescape(view.data(), view.data() + view.size(), out.data());
  if (result.quote == nullptr) return "unusual";
  CHECK(*result.quote == '"');
  return out.substr(0, result.size) + "|" +
         std::string(view.substr(static_cast<std::size_t>(result.quote - view.data()) + 1));
}

// The same, one byte after the other.
std::string DecodeSlowly(std::string_view text) {
  const char* end = text.data() + text.size();
  for (const char* p = text.data(); p < end;) {
    if (*p == '"') {
      const std::string_view inside(text.data(), static_cast<std::size_t>(p - text.data()));
      std::string out(inside.size(), '\0');
      out.resize(DecodeString(inside.data(), p, out.data()));
      return out + "|" + std::string(p + 1, end);
    }
    if (static_cast<unsigned char>(*p) < 0x20) return "unusual";
    const std::size_t length = *p == '\\' ? EscapeLength(p, end) : 1;
    if (length == 0) return "unusual";
    p += length;
  }
  return "unusual";
}

}  // namespace

TEST_CASE("unescape: every variant decodes like the plain loop, at every place", "[json]") {
  std::minstd_rand random(7);  // NOLINT(cert-msc51-cpp): the same texts each time.
  const std::string_view pieces[] = {"\\n", "\\\"", "\\\\", "\\/",     "\\t",
                                     "\\r", "\\b",  "\\f",  "\\u003c", "\\ud83d\\ude00",
                                     "a",   "text", "\xff"};
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    const std::size_t count = random() % 40;
    for (std::size_t i = 0; i < count; ++i) {
      text += std::string(random() % (round % 2 == 0 ? 3 : 40), 'x');
      text += pieces[random() % (round % 3 == 0 ? 3 : 13)];
    }
    if (round % 10 != 0) text += "\",\"after";
    if (round % 25 == 0) text.insert(random() % (text.size() + 1), "\\q");
    if (round % 25 == 1) text.insert(random() % (text.size() + 1), "\x01");
    const std::string want = DecodeSlowly(text);
    for (const UnescapeVariant& variant : UnescapeVariants()) {
      INFO(variant.name << ": " << text);
      REQUIRE(Decode(variant, text) == want);
    }
  }
}

TEST_CASE("unescape: a row of backslashes across vectors", "[json]") {
  for (std::size_t before = 50; before < 70; ++before) {
    for (std::size_t backslashes = 0; backslashes < 140; ++backslashes) {
      const std::string text =
          std::string(before, 'x') + std::string(backslashes, '\\') + "\"n\"end";
      const std::string want = DecodeSlowly(text);
      for (const UnescapeVariant& variant : UnescapeVariants()) {
        INFO(variant.name << ", " << before << " before " << backslashes);
        REQUIRE(Decode(variant, text) == want);
      }
    }
  }
}

TEST_CASE("docker line: the line as Docker writes it", "[json][docker]") {
  const auto& variant = GENERATE(from_range(UnescapeVariants().begin(), UnescapeVariants().end()));
  INFO(variant.name);
  const DockerUnwrapper unwrapper(variant.unescape);
  Arena arena;
  DockerLine line;

  const PaddedText plain(
      R"({"log":"{\"a\":\"\\n\"} \u003cb\u003e\n","stream":"stderr","time":"2023-05-06T07:08:09.1Z"})");
  REQUIRE(unwrapper.Unwrap(plain.view(), arena, line));
  CHECK(line.log == "{\"a\":\"\\n\"} <b>\n");
  CHECK(line.stream == "stderr");
  CHECK(line.time == "2023-05-06T07:08:09.1Z");

  const PaddedText attrs(
      R"({"log":"","stream":"stdout","attrs":{"tag":"web","env":"x"},"time":"t"})");
  REQUIRE(unwrapper.Unwrap(attrs.view(), arena, line));
  CHECK(line.log.empty());
  CHECK(line.stream == "stdout");
  CHECK(line.time == "t");
}

TEST_CASE("docker line: everything unusual is left to the complete parser", "[json][docker]") {
  const std::string text = GENERATE(values<std::string>({
      "",
      "{",
      "plain",
      R"({"log":)",
      R"({"log":"x)",
      R"({"log":"x"})",
      R"({"log":"x","stream":"stdout"})",
      R"({"log":"x","stream":"stdout","time":"t"} )",
      R"({"log":"x","stream":"stdout","time":"t")",
      R"({"log":"x","stream":"stdout","time":"t","a":1})",
      R"({"log":"x","stream":"stdx","time":"t"})",
      R"({"log": "x","stream":"stdout","time":"t"})",
      R"({"stream":"stdout","log":"x","time":"t"})",
      R"({"log":"x","stream":"stdout","time":"\u0041"})",
      R"({"log":1,"stream":"stdout","time":"t"})",
      R"({"log":"x","stream":"stdout","attrs":{},"time":"t"})",
      R"({"log":"x","stream":"stdout","attrs":{"a":1},"time":"t"})",
      R"({"log":"\q","stream":"stdout","time":"t"})",
      "{\"log\":\"a\tb\",\"stream\":\"stdout\",\"time\":\"t\"}",
  }));
  INFO(text);
  const PaddedText padded(text);
  Arena arena;
  DockerLine line;
  CHECK_FALSE(DockerUnwrapper().Unwrap(padded.view(), arena, line));
}

}  // namespace agent
