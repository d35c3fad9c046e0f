#include "pipeline/stages/ansi.h"

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "pipeline/regex/regex.h"
#include "tests/support/padded_text.h"

// Comes last: it has a CHECK of its own.
// clang-format off
#include <catch2/catch.hpp>
// clang-format on

namespace agent {
namespace {

// Promtail's.
constexpr std::string_view kExpression =
    R"([\x1b\x{9b}][[\]()#;?]*(?:(?:(?:[a-zA-Z\d]*(?:;[a-zA-Z\d]*)*)?\x07)|)"
    R"((?:(?:\d{1,4}(?:;\d{0,4})*)?[\dA-PRZcf-ntqry=><~])))";

std::string Stripped(std::string_view line) {
  const PaddedText padded(line);
  Arena arena;
  return std::string(StripAnsi(padded.view(), arena));
}

class ExpressionStripper {
 public:
  ExpressionStripper() {
    auto compiled = Regex::Compile(kExpression);
    REQUIRE(compiled.ok());
    regex_ = std::move(compiled).value();
    regex_->Capture({0});
  }

  std::string Strip(std::string_view line) {
    std::string out;
    std::size_t kept = 0;
    std::vector<TextSpan> match(1);
    regex_->Begin(line);
    while (regex_->Next(match)) {
      out += line.substr(kept, match[0].begin - kept);
      kept = match[0].end;
    }
    return out + std::string(line.substr(kept));
  }

 private:
  std::unique_ptr<Regex> regex_;
};

// Made of what sequences are made of, so that most of them begin one and many are none.
std::string RandomLine(Random& random) {
  static constexpr std::array<std::string_view, 32> kPieces = {
      "\x1b", "\x1b[", "\x1b]", "\xc2\x9b", "\x9b", "\xc2", "\x07", "[", "]", "(", ")",
      "#",    ";",     "?",     "0",        "1",    "23",   "4567", "8", "m", "A", "Q",
      "S",    "c",     "f",     "u",        "z",    "=",    "~",    " ", "é", "\n"};
  std::string line;
  for (uint64_t left = random.Next() % 20; left > 0; --left)
    line += kPieces[random.Next() % kPieces.size()];
  return line;
}

}  // namespace

// The expected column is what Go's regexp makes of it.
TEST_CASE("ansi: strips what Promtail's expression matches", "[stages][decolorize]") {
  struct Case {
    std::string_view line;
    std::string_view want;
  };
  const auto c = GENERATE(values<Case>({
      {"\x1b[33;1mwarn\x1b[0m: disk \x1b[4m90%\x1b[24m", "warn: disk 90%"},
      {"plain", "plain"},
      {"", ""},
      // Colours, cursor, erasing, modes, character sets.
      {"\x1b[31m\x1b[0m", ""},
      {"\x1b[1;2;3;4;5Hx", "x"},
      {"\x1b[0Kx", "x"},
      {"\x1b[2Jx", "x"},
      {"\x1b[?25lx", "x"},
      {"\x1b(Bx", "x"},
      {"\x1b#8x", "x"},
      {"\x1b=x", "x"},
      {"\x1b~x", "x"},
      {"\x1b"
       "cx",
       "x"},
      // Not a final character.
      {"\x1bQ", "\x1bQ"},
      {"\x1bS", "\x1bS"},
      // Cut off.
      {"\x1b", "\x1b"},
      {"a\x1b", "a\x1b"},
      {"\x1b[", "\x1b["},
      // Parameters that nothing ends give their last digit.
      {"\x1b[31", ""},
      {"\x1b[3", ""},
      {"\x1b[31x", "x"},
      {"\x1b[1x", "x"},
      {"\x1b[3;;x", ";;x"},
      {"\x1b[12;;", ";;"},
      {"\x1b[1;2\nm", "\nm"},
      {"\x1b[1;2p", "p"},
      {"\x1b[31;1;q", ""},
      {"\x1b[38:5:1mx", ":5:1mx"},
      // At most four digits; the fifth is the final character.
      {"\x1b[1234m", ""},
      {"\x1b[12345m", "m"},
      {"\x1b[1;12345m", "m"},
      {"\x1b[;m", ""},
      {"\x1b[;;31m", ""},
      // Up to a BEL.
      {"\x1b]0;title\x07rest", "rest"},
      {"\x1b]0;my title\x07rest", "y title\x07rest"},
      {"\x1b]8;;http://x\x07link", "ttp://x\x07link"},
      {"\x1b\x07x", "x"},
      {"\x1b[;\x07x", "x"},
      {"\x1b[0mab\x07", ""},
      // U+009B, but not its second byte alone, and bytes that are no UTF-8.
      {"\xc2\x9b"
       "31mx",
       "x"},
      {"\xc2\x9bm", ""},
      {"\xc2\x9b", "\xc2\x9b"},
      {"\x9b"
       "31mx",
       "\x9b"
       "31mx"},
      {"\xe2\xc2\x9b"
       "1mx",
       "\xe2x"},
      {"x\xc2", "x\xc2"},
      {"\xff\x1b[1m\xff", "\xff\xff"},
      {"\xc3\xa9\x1b[1m\xc3\xa9", "\xc3\xa9\xc3\xa9"},
      // One after another.
      {"\x1b\x1b[1mx", "\x1bx"},
      {"\x1b[\x1b[1mx", "\x1b[x"},
      {"\x1b[1\x1b[1mx", "x"},
  }));

  CHECK(Stripped(c.line) == c.want);
}

TEST_CASE("ansi: a first byte at the end does not join what lies behind the line",
          "[stages][decolorize]") {
  const std::string buffer = "x\xc2\x9bm" + std::string(kTextPadding, ' ');
  const std::string_view line = std::string_view(buffer).substr(0, 2);
  Arena arena;

  CHECK(StripAnsi(line, arena).data() == line.data());
  CHECK(FindAnsiIntroducer(line.data(), line.data() + line.size()) == line.data() + line.size());
}

TEST_CASE("ansi: a line without an introducer is not copied", "[stages][decolorize]") {
  const PaddedText line(
      "a long line without anything for a terminal, only [0m and \xc2\xa0\xd0\x9b");
  Arena arena;

  CHECK(StripAnsi(line.view(), arena).data() == line.view().data());
  CHECK(arena.memory_bytes() == 0);
}

TEST_CASE("ansi: introducers are found wherever they stand", "[stages][decolorize]") {
  const std::string introducer = GENERATE(as<std::string>{}, "\x1b", "\xc2\x9b");
  for (std::size_t before = 0; before < 70; ++before) {
    const std::string text = std::string(before, 'x') + introducer + "[1my";
    const PaddedText line(text);
    const char* const begin = line.view().data();

    REQUIRE(FindAnsiIntroducer(begin, begin + line.view().size()) == begin + before);
    REQUIRE(Stripped(text) == std::string(before, 'x') + "y");
  }
}

TEST_CASE("ansi: the scanner agrees with the expression on generated lines",
          "[stages][decolorize]") {
  Random random(20'260'504);
  ExpressionStripper expression;
  std::size_t changed = 0;

  for (int i = 0; i < 50'000; ++i) {
    const std::string line = RandomLine(random);
    const std::string want = expression.Strip(line);
    if (want != line) ++changed;
    INFO("line " << i);
    REQUIRE(Stripped(line) == want);
  }
  CHECK(changed > 10'000);
}

}  // namespace agent
