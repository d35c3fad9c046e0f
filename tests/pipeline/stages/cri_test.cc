#include <catch2/catch.hpp>

#include "pipeline/stages/cri_line.h"
#include "tests/pipeline/stages/line_runner.h"
#include "tests/support/recording_metrics.h"

namespace agent {
namespace {

constexpr int64_t kSecond = 1683331200;  // 2023-05-06T00:00:00Z

std::string Piece(int second, const std::string& rest) {
  return "2023-05-06T00:00:0" + std::to_string(second) + "Z " + rest;
}
int64_t TimeOf(int second) {
  return (kSecond + second) * kNanosPerSecond;
}

std::vector<std::string> Lines(const std::vector<LineRunner::Out>& entries) {
  std::vector<std::string> lines;
  for (const LineRunner::Out& entry : entries)
    lines.push_back(entry.line);
  return lines;
}
using Strings = std::vector<std::string>;

}  // namespace

TEST_CASE("cri line: taken apart as the expression does", "[stages][cri]") {
  const auto line = ParseCriLine("t stdout F  two  spaces ");
  REQUIRE(line);
  CHECK(line->time == "t");
  CHECK(line->stream == "stdout");
  CHECK(line->flags == "F");
  CHECK(line->content == " two  spaces ");
  CHECK(ParseCriLine("t stderr P:x ")->content.empty());
  CHECK(ParseCriLine("t stderr P:x ")->flags == "P:x");
  CHECK(ParseCriLine("t\v stdout F x\ny")->content == "x\ny");
  CHECK(ParseCriLine("\xff stdout \xfe \xfd")->flags == "\xfe");
}

TEST_CASE("cri line: what is none", "[stages][cri]") {
  const std::string line = GENERATE(values<std::string>({
      "",
      " ",
      "t",
      "t ",
      "t stdout",
      "t stdout ",
      "t stdout F",
      "t stdout  F x",
      " stdout F x",
      "t stdin F x",
      "t stdoutF x",
      "t  stdout F x",
      "a\tb stdout F x",
      "t stdout F\t x",
      "t STDOUT F x",
  }));
  INFO(line);
  CHECK_FALSE(ParseCriLine(line));
}

TEST_CASE("cri: pieces are joined per label set, with the time of the last", "[stages][cri]") {
  LineRunner runner("[cri: {}]");

  const auto out = runner.Run({Piece(1, "stdout P one-"), Piece(2, "stderr F other"),
                               Piece(3, "stdout P two-"), Piece(4, "stdout F three")});

  REQUIRE(Lines(out) == Strings{"other", "one-two-three"});
  CHECK(out[1].timestamp_ns == TimeOf(4));
  CHECK(out[1].labels == R"({stream="stdout"})");
  CHECK(out[1].held_bytes.size() == 2);
  CHECK(out[0].held_bytes.empty());
}

TEST_CASE("cri: pieces wait from one block to the next, unsettled", "[stages][cri]") {
  LineRunner runner("[cri: {}]");

  CHECK(runner.Run({Piece(1, "stdout P one ")}).empty());
  CHECK_FALSE(runner.progress->idle());
  CHECK(runner.Flush(FlushReason::kDeadline).empty());
  CHECK(Lines(runner.Run({Piece(2, "stdout F two")})) == Strings{"one two"});
  runner.pipeline().block().Reset(kEmptyLabelSet, nullptr);

  CHECK(runner.progress->idle());
}

TEST_CASE("cri: a line goes on in the next file after a rotation", "[stages][cri]") {
  LineRunner runner("[cri: {}]");
  runner.Run({Piece(1, "stdout P old ")});
  const auto old = runner.progress;
  runner.progress = LineRunner::NewSource();

  CHECK(Lines(runner.Run({Piece(2, "stdout F new")})) == Strings{"old new"});
  runner.pipeline().block().Reset(kEmptyLabelSet, nullptr);
  CHECK(old->idle());
}

TEST_CASE("cri: any other line with the same labels ends an open one", "[stages][cri]") {
  LineRunner runner("[cri: {}]");
  runner.labels = {{"stream", "stdout"}};

  CHECK(Lines(runner.Run({Piece(1, "stdout P one "), Piece(2, "stdout X two")})) ==
        Strings{"one two"});
  CHECK(Lines(runner.Run({Piece(1, "stdout P one "), "no cri line"})) ==
        Strings{"one no cri line"});
  CHECK(Lines(runner.Run({Piece(1, "stdout F one "), Piece(2, "stdout F two")})) ==
        Strings{"one ", "two"});
}

TEST_CASE("cri: too many open lines: all come out, in the order they began", "[stages][cri]") {
  LineRunner runner("[cri: {max_partial_lines: 2}]");

  const auto out =
      runner.Run({Piece(1, "stderr P a"), Piece(2, "stdout P b"), Piece(3, "stderr P c"),
                  Piece(4, "stdout F d"), Piece(5, "stderr F e")});

  // The third piece finds two open lines, its own among them.
  REQUIRE(Lines(out) == Strings{"a", "b", "d", "ce"});
  CHECK(out[0].timestamp_ns == TimeOf(1));
  CHECK(out[0].labels == R"({stream="stderr"})");
  CHECK(out[0].held_bytes.size() == 1);
}

TEST_CASE("cri: only assembled lines are cut", "[stages][cri]") {
  LineRunner runner("[cri: {max_partial_line_size: 4, max_partial_line_size_truncate: true}]");
  CHECK(Lines(runner.Run({Piece(1, "stdout P abcdef"), Piece(2, "stdout F gh"),
                          Piece(3, "stdout F untouched"), Piece(4, "stdout P ab"),
                          Piece(5, "stdout F cde")})) == Strings{"abcd", "untouched", "abcd"});

  LineRunner empty("[cri: {max_partial_line_size_truncate: 'true'}]");
  CHECK(Lines(empty.Run({Piece(1, "stdout P abc"), Piece(2, "stdout F d")})) == Strings{""});

  LineRunner whole("[cri: {max_partial_line_size: 1}]");
  CHECK(Lines(whole.Run({Piece(1, "stdout P abc"), Piece(2, "stdout F d")})) == Strings{"abcd"});
}

TEST_CASE("cri: an open line comes out when its source has ended for good", "[stages][cri]") {
  LineRunner runner("[cri: {}]");
  runner.Run({Piece(1, "stdout P no new"), Piece(2, "stdout P line")});
  const auto other = LineRunner::NewSource();

  CHECK(runner.EndOfSource(*other).empty());
  const auto out = runner.EndOfSource(*runner.progress);

  REQUIRE(Lines(out) == Strings{"no newline"});
  CHECK(out[0].timestamp_ns == TimeOf(2));
  CHECK(out[0].labels == R"({stream="stdout"})");
  CHECK(out[0].held_bytes.size() == 2);
  CHECK(runner.EndOfSource(*runner.progress).empty());
}

TEST_CASE("cri: open lines come out when input ends that cannot be read again", "[stages][cri]") {
  LineRunner runner("[cri: {}]");
  runner.Run({Piece(1, "stderr P b"), Piece(2, "stdout P a")});

  CHECK(Lines(runner.Flush(FlushReason::kEnd)) == Strings{"b", "a"});
  CHECK(runner.Flush(FlushReason::kEnd).empty());
}

TEST_CASE("cri: abandoned pieces stay unsettled and are not joined", "[stages][cri]") {
  LineRunner runner("[cri: {}]");
  runner.Run({Piece(1, "stdout P one ")});

  runner.pipeline().Abandon();

  CHECK(Lines(runner.Run({Piece(2, "stdout F two")})) == Strings{"two"});
  CHECK_FALSE(runner.progress->idle());
}

TEST_CASE("cri: pieces are part of the memory that stages may take", "[stages][cri]") {
  const std::string text(300, 'x');
  LineRunner runner("[cri: {}]", 3000);

  CHECK(runner.Run({Piece(1, "stdout P " + text)}).empty());
  CHECK(runner.held_memory.used() > 300);
  CHECK(Lines(runner.Run({Piece(2, "stdout F end")})) == Strings{text + "end"});
  CHECK(runner.held_memory.used() == 0);
}

TEST_CASE("cri: a line that never ends comes out in pieces", "[stages][cri]") {
  const std::string text(300, 'x');
  LineRunner runner("[cri: {}]", 3000);
  Strings lines;
  for (int i = 0; i < 20; ++i) {
    for (const std::string& line : Lines(runner.Run({Piece(1, "stdout P " + text)})))
      lines.push_back(line);
    REQUIRE_FALSE(runner.held_memory.full());
  }
  REQUIRE(lines.size() > 1);
  CHECK(lines[0].size() >= 600);
  for (const std::string& line : Lines(runner.Run({Piece(2, "stdout F end")})))
    lines.push_back(line);

  std::size_t bytes = 0;
  for (const std::string& line : lines)
    bytes += line.size();
  CHECK(bytes == 20 * text.size() + 3);
  RecordingMetrics metrics;
  runner.shared.CollectMetrics(metrics);
  CHECK(metrics.Value("agent_stage_bounds_reached_total job stages[0].cri length") > 0);
}

TEST_CASE("cri: when memory is short the oldest lines come out", "[stages][cri]") {
  const std::string text(700, 'x');
  LineRunner runner("[cri: {}]", 20'000);
  Strings out;
  for (int pod = 0; pod < 40; ++pod) {
    runner.labels = {{"pod", std::to_string(pod)}};
    for (const auto& one : runner.Run({Piece(1, "stdout P " + text)}))
      out.push_back(one.labels);
    REQUIRE_FALSE(runner.held_memory.full());
  }

  REQUIRE(out.size() > 1);
  CHECK(out[0] == R"({pod="0", stream="stdout"})");
  CHECK(out[1] == R"({pod="1", stream="stdout"})");
  RecordingMetrics metrics;
  runner.shared.CollectMetrics(metrics);
  CHECK(metrics.Value("agent_stage_bounds_reached_total job stages[0].cri memory") ==
        static_cast<double>(out.size()));
}

TEST_CASE("cri: a time that is none takes the last one of the labels", "[stages][cri]") {
  LineRunner runner("[cri: {}]");

  const auto out = runner.Run({Piece(1, "stdout F a"), "?? stdout F b", "?? stderr F c", "no cri"});

  CHECK(out[1].timestamp_ns == TimeOf(1) + 1);
  CHECK(out[2].timestamp_ns == FakeClock::kStart);
  CHECK(out[3].timestamp_ns == FakeClock::kStart);
  CHECK(out[3].line == "no cri");
}

TEST_CASE("cri: a label called tags replaces the line", "[stages][cri]") {
  LineRunner runner("[cri: {}]");
  runner.labels = {{"tags", "t"}};
  CHECK(Lines(runner.Run({Piece(1, "stdout F a"), "no cri"})) == Strings{"t", "t"});
}

TEST_CASE("cri: later stages see the last piece", "[stages][cri]") {
  LineRunner runner(R"(
    - cri: {}
    - labels: {flags: , content: }
  )");

  const auto out = runner.Run({Piece(1, "stdout P one "), Piece(2, "stdout F two")});

  CHECK(out[0].line == "one two");
  CHECK(out[0].labels == R"({content="two", flags="F", stream="stdout"})");
}

TEST_CASE("cri: configuration problems", "[stages][cri]") {
  CHECK_FALSE(LineRunner("[cri: {max_partial_line_size: 1kb}]").built());
  CHECK_FALSE(LineRunner("[cri: {max_partial_lines: many}]").built());
  CHECK(LineRunner("[cri: {max_partial_lines: '5'}]").built());
  CHECK(LineRunner("[cri: ]").built());
}

}  // namespace agent
