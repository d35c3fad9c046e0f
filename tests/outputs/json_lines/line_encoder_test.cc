#include "outputs/json_lines/line_encoder.h"

#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>
#include <simdjson.h>

#include "tests/outputs/json_lines/line_bed.h"

namespace agent::json_lines {
namespace {

std::string MessageOf(std::string_view line) {
  simdjson::dom::parser parser;
  std::string_view message;
  REQUIRE(parser.parse(line.data(), line.size())["message"].get(message) == simdjson::SUCCESS);
  return std::string(message);
}

std::vector<std::string> LinesOf(std::string_view body) {
  std::vector<std::string> lines;
  while (!body.empty()) {
    const std::size_t end = body.find('\n');
    REQUIRE(end != std::string_view::npos);
    lines.emplace_back(body.substr(0, end));
    body.remove_prefix(end + 1);
  }
  return lines;
}

}  // namespace

TEST_CASE("line encoder: one document a line, whatever is in it", "[json_lines]") {
  LineBed bed;
  const LineBatch batch = bed.Lines({"plain", "two\r\nlines\n", "bad \xff", ""});

  const std::vector<std::string> lines = LinesOf(batch.rest());
  REQUIRE(lines.size() == 4);
  CHECK(MessageOf(lines[0]) == "plain");
  CHECK(MessageOf(lines[1]) == "two\r\nlines\n");
  CHECK(MessageOf(lines[2]) == "bad \xEF\xBF\xBD");
  CHECK(MessageOf(lines[3]).empty());
  CHECK(batch.rest().find("@metadata") == std::string_view::npos);
}

TEST_CASE("line encoder: a message that makes a line too long is cut to fit", "[json_lines]") {
  struct Case {
    const char* name;
    std::string unit;
  };
  const auto c = GENERATE(values<Case>({
      {"letters", "x"},
      {"escaped", "\x01"},
      {"bytes that are no UTF-8", "\xff"},
      {"runes", "\xE2\x82\xAC"},
      {"letters, then escaped", std::string(700, 'x') + std::string(300, '\x01')},
  }));
  INFO(c.name);
  LineBed bed;
  bed.options.max_line_bytes = 1000;
  std::string line;
  while (line.size() < 20'000)
    line += c.unit;
  bed.Add("before");
  bed.Add(line);
  bed.Add("after");
  const LineBatch batch = bed.Take();

  const std::vector<std::string> lines = LinesOf(batch.rest());
  REQUIRE(lines.size() == 3);
  CHECK(lines[1].size() <= 1000);
  CHECK(lines[1].size() > 800);
  CHECK(MessageOf(lines[2]) == "after");
  if (c.unit[0] == '\xE2') CHECK(MessageOf(lines[1]).find("\xEF\xBF\xBD") == std::string::npos);
  CHECK(bed.counters->repaired_entries == 1);
}

TEST_CASE("line encoder: exactly as long as allowed is not cut", "[json_lines]") {
  LineBed bed;
  const std::size_t empty = bed.Lines({""}).rest().size() - 1;
  const std::size_t length = GENERATE(std::size_t{100}, std::size_t{101});
  LineBed exact;
  exact.options.max_line_bytes = empty + 100;
  CHECK(MessageOf(LinesOf(exact.Lines({std::string(length, 'x')}).rest())[0]).size() == 100);
  CHECK(exact.counters->repaired_entries == length - 100);
}

TEST_CASE("line encoder: what is too large without its message goes to the dead letter",
          "[json_lines]") {
  LineBed bed;
  bed.options.max_line_bytes = 300;
  bed.Add("first");
  bed.Add("of it", {{"app", std::string(500, 'a')}});
  bed.Add("last");
  LineBatch batch = bed.Take();

  const std::vector<std::string> lines = LinesOf(batch.rest());
  REQUIRE(lines.size() == 2);
  CHECK(MessageOf(lines[1]) == "last");
  batch.Finish();
  CHECK(bed.counters->sent_entries == 2);
  CHECK(bed.counters->dead_lettered == 1);
  CHECK(bed.source->Balance(0).dropped == 6);
  CHECK(bed.settled() == bed.offset);
}

TEST_CASE("line batch: a line that is refused later is the right entry", "[json_lines]") {
  LineBed bed;
  bed.options.max_line_bytes = 300;
  const Labels large{{"app", std::string(500, 'a')}};
  bed.Add("0", large);
  bed.Add("1");
  bed.Add("2-refused");
  bed.Add("3", large);
  bed.Add("4-refused-too");
  bed.Add("5");
  LineBatch batch = bed.Take();

  const auto skip_line = [&batch] { batch.Skip(batch.rest().find('\n') + 1); };
  skip_line();
  batch.RefuseLine("too_large", "no");
  batch.RefuseLine("too_large", "no");
  CHECK(MessageOf(LinesOf(batch.rest())[0]) == "5");
  skip_line();
  CHECK(batch.rest().empty());
  batch.Finish();

  // The bytes of its lines: 2 + 10 + 2 + 14.
  CHECK(bed.source->Balance(0).dropped == 28);
  CHECK(bed.counters->sent_entries == 2);
  CHECK(bed.counters->dead_lettered == 4);
}

TEST_CASE("line batch: what arrived in part is sent again as a whole", "[json_lines]") {
  LineBed bed;
  LineBatch batch = bed.Lines({"a", "b", "c"});
  const std::vector<std::string> lines = LinesOf(batch.rest());

  batch.Skip(lines[0].size());  // Without its newline.
  CHECK(LinesOf(batch.rest()).size() == 3);
  batch.Skip(lines[0].size() + 1);
  CHECK(LinesOf(batch.rest()).size() == 2);
  batch.Skip(lines[1].size() + 1 + 3);
  CHECK(LinesOf(batch.rest()) == std::vector<std::string>{lines[2]});
  batch.Abandon();
}

}  // namespace agent::json_lines
