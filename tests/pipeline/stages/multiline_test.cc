// What pipelines/multiline.yaml cannot say: time, blocks, bytes, memory.

#include <algorithm>
#include <cstddef>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "pipeline/stages/hold_bounds.h"
#include "tests/pipeline/stages/line_runner.h"
#include "tests/support/recording_metrics.h"

namespace agent {
namespace {

using Strings = std::vector<std::string>;

constexpr const char* kStages = "[multiline: {firstline: '^>'}]";
// The label `c` is the line's first character, the rest is the line.
constexpr const char* kByLabel = R"(
  - regex: {expression: '(?s)^(?P<c>.)(?P<rest>.*)$'}
  - labels: {c: }
  - output: {source: rest}
  - multiline: {firstline: '^>', max_lines: 5}
)";
constexpr const char* kBounds = "agent_stage_bounds_reached_total job stages[0].multiline ";

Strings Lines(const std::vector<LineRunner::Out>& out) {
  Strings lines;
  for (const LineRunner::Out& one : out)
    lines.push_back(one.line);
  return lines;
}

double Hits(const LineRunner& runner, const std::string& bound,
            const std::string& prefix = kBounds) {
  RecordingMetrics metrics;
  runner.shared.CollectMetrics(metrics);
  return metrics.Value(prefix + bound);
}

// What Promtail does with the lines of one label set that come without a pause.
Strings Reference(const Strings& lines, std::size_t max_lines) {
  Strings out;
  std::string text;
  std::size_t count = 0;
  bool begun = false;
  const auto flush = [&] {
    if (text.empty()) return;
    out.push_back(text);
    text.clear();
    count = 0;
  };
  for (const std::string& line : lines) {
    const bool first = line.starts_with('>');
    if (!first && !begun) {
      out.push_back(line);
      continue;
    }
    begun = true;
    if (first) flush();
    if (!text.empty()) text += '\n';
    text += line;
    if (++count == max_lines) flush();
  }
  flush();
  return out;
}

}  // namespace

TEST_CASE("multiline: an open entry goes on in the next block, and settles as a whole",
          "[stages][multiline]") {
  LineRunner runner(kStages);

  CHECK(Lines(runner.Run({">1", "a", ">2", "b"})) == Strings{">1\na"});
  CHECK(runner.Run({"c"}).empty());
  CHECK(runner.progress->min_settled() == 5);
  CHECK(runner.progress->Balance(0).in_flight == 7);
  CHECK(runner.held_memory.used() > 0);

  const auto out = runner.Run({"d", ">3"});
  runner.Release();

  REQUIRE(Lines(out) == Strings{">2\nb\nc\nd"});
  CHECK(out[0].held_bytes == std::vector<uint64_t>{9});  // One hold for all its lines.
  CHECK(runner.progress->min_settled() == 14);
  CHECK(runner.progress->Balance(0).in_flight == 3);
}

TEST_CASE("multiline: lines that stand together in memory are joined where they are",
          "[stages][multiline]") {
  LineRunner runner(kStages);
  const std::string text = ">1\na\n\nb\n>2\n" + std::string(kTextPadding, '\n');
  const std::string_view lines = std::string_view(text).substr(0, text.size() - kTextPadding);

  const auto out = runner.RunText(lines);

  REQUIRE(Lines(out) == Strings{">1\na\n\nb"});
  const Block& block = runner.pipeline().block();
  CHECK(block.Line(block.live()[0]).data() == lines.data());
  CHECK(out[0].source_bytes == 8);
  CHECK(out[0].held_bytes.empty());
}

TEST_CASE("multiline: an entry ends when no line has come for max_wait_time",
          "[stages][multiline]") {
  LineRunner runner("[multiline: {firstline: '^>', max_wait_time: 2s}]");
  const int64_t begin = runner.clock.MonotonicNanos();
  CHECK_FALSE(runner.pipeline().NextDeadline().has_value());
  runner.Run({">1"});
  CHECK(runner.pipeline().NextDeadline() == begin + 2 * kNanosPerSecond);

  runner.clock.Advance(kNanosPerSecond);
  runner.Run({"a"});
  CHECK(runner.pipeline().NextDeadline() == begin + 3 * kNanosPerSecond);
  runner.clock.Advance(2 * kNanosPerSecond - 1);
  CHECK(runner.Flush(FlushReason::kDeadline).empty());
  runner.clock.Advance(1);
  const auto out = runner.Flush(FlushReason::kDeadline);
  runner.Release();

  REQUIRE(Lines(out) == Strings{">1\na"});
  CHECK(out[0].timestamp_ns == FakeClock::kStart);
  CHECK_FALSE(runner.pipeline().NextDeadline().has_value());
  CHECK(runner.progress->idle());
  CHECK(runner.progress->Balance(0).in_flight == 0);

  // What follows has the first line's time.
  runner.Run({"b"});
  runner.clock.Advance(2 * kNanosPerSecond);
  const auto rest = runner.Flush(FlushReason::kDeadline);
  REQUIRE(Lines(rest) == Strings{"b"});
  CHECK(rest[0].timestamp_ns == FakeClock::kStart);
}

TEST_CASE("multiline: does not give up while its source waits to be read", "[stages][multiline]") {
  LineRunner runner(kStages);
  runner.Run({">1"});
  runner.progress->SetUnreadSince(runner.clock.MonotonicNanos());
  runner.clock.Advance(5 * kNanosPerSecond);

  CHECK_FALSE(runner.pipeline().NextDeadline().has_value());
  CHECK(runner.Flush(FlushReason::kDeadline).empty());

  SECTION("its turn brings more lines") {
    CHECK(Lines(runner.Run({"a", ">2"})) == Strings{">1\na"});
  }
  SECTION("its turn brings none") {
    runner.progress->SetUnreadSince(SourceProgress::kAllRead);
    CHECK(Lines(runner.Flush(FlushReason::kDeadline)) == Strings{">1"});
  }
  SECTION("its turn brings others' lines, and there are more") {
    runner.progress->SetUnreadSince(runner.clock.MonotonicNanos());
    CHECK(Lines(runner.Flush(FlushReason::kDeadline)) == Strings{">1"});
  }
}

TEST_CASE("multiline: each label set waits by itself", "[stages][multiline]") {
  LineRunner runner(kByLabel);
  runner.Run({"a>1", "b>2"});
  runner.clock.Advance(2 * kNanosPerSecond);
  runner.Run({"a1"});
  runner.clock.Advance(kNanosPerSecond);

  const auto out = runner.Flush(FlushReason::kDeadline);

  REQUIRE(Lines(out) == Strings{">2"});
  CHECK(out[0].labels == R"({c="b"})");
  CHECK(Lines(runner.Run({"b3", "a>4", "b>5"})) == Strings{"3", ">1\n1"});
}

TEST_CASE("multiline: an entry that is open when its source ends comes out",
          "[stages][multiline]") {
  LineRunner runner(kStages);
  runner.Run({">1", "a"});
  const auto other = LineRunner::NewSource();

  CHECK(runner.EndOfSource(*other).empty());
  CHECK(Lines(runner.EndOfSource(*runner.progress)) == Strings{">1\na"});
  CHECK(runner.EndOfSource(*runner.progress).empty());
}

TEST_CASE("multiline: an entry goes on in another source with the same labels",
          "[stages][multiline]") {
  LineRunner runner(kStages);
  runner.Run({">1"});
  const auto old = runner.progress;
  runner.progress = LineRunner::NewSource();
  runner.Run({"a", "b"});

  CHECK(runner.EndOfSource(*old).empty());
  const auto out = runner.Run({">2"});
  runner.Release();

  REQUIRE(Lines(out) == Strings{">1\na\nb"});
  CHECK(out[0].held_bytes == std::vector<uint64_t>{3, 4});
  CHECK(old->idle());
}

TEST_CASE("multiline: everything comes out at the end of input that cannot be read again",
          "[stages][multiline]") {
  const FlushReason reason = GENERATE(FlushReason::kEnd, FlushReason::kStop);
  LineRunner runner(kByLabel);
  runner.Run({"b>1", "a>2", "b1"});

  CHECK(Lines(runner.Flush(reason)) == Strings{">1\n1", ">2"});
  CHECK(runner.Flush(reason).empty());
}

TEST_CASE("multiline: what is abandoned stays unsettled and is forgotten", "[stages][multiline]") {
  LineRunner runner(kStages);
  runner.Run({"x", ">1", "a"});

  runner.pipeline().Abandon();

  CHECK(Lines(runner.Run({"b", ">2"})) == Strings{"b"});
  CHECK(runner.progress->min_settled() == 2);
  CHECK_FALSE(runner.progress->idle());
}

TEST_CASE("multiline: empty lines that wait for a text are let go of in time",
          "[stages][multiline]") {
  LineRunner runner("[multiline: {firstline: '^$'}]");
  runner.Run({"", ""});
  CHECK_FALSE(runner.progress->idle());
  runner.clock.Advance(3 * kNanosPerSecond);

  CHECK(runner.Flush(FlushReason::kDeadline).empty());
  CHECK(runner.progress->idle());
  CHECK(runner.progress->Balance(0).dropped == 2);
}

TEST_CASE("multiline: an entry that never ends comes out in pieces", "[stages][multiline]") {
  LineRunner runner("[multiline: {firstline: '^>', max_lines: 0}]", 2000);  // 1000 for an entry.
  const std::string line(300, 'x');

  SECTION("within a block") {
    const auto out = runner.Run({">1", line, line, line, line});
    CHECK(Lines(out) == Strings{">1\n" + line + "\n" + line + "\n" + line});
  }
  SECTION("over several") {
    CHECK(runner.Run({">1", line, line}).empty());
    const auto out = runner.Run({line, line});
    CHECK(Lines(out) == Strings{">1\n" + line + "\n" + line + "\n" + line});
  }
  CHECK(Hits(runner, "length") == 1);
  const auto rest = runner.Flush(FlushReason::kEnd);
  REQUIRE(Lines(rest) == Strings{line});
  CHECK(rest[0].timestamp_ns == FakeClock::kStart);
  runner.Release();
  CHECK(runner.progress->Balance(0).in_flight == 0);
  CHECK(runner.progress->idle());
}

TEST_CASE("multiline: a line that is too long by itself stays whole", "[stages][multiline]") {
  LineRunner runner("[multiline: {firstline: '^>'}]", 2000);
  const std::string line(5000, 'x');

  CHECK(Lines(runner.Run({">1", line, "a", ">2"})) == Strings{">1", line, "a"});
}

TEST_CASE("multiline: when memory is short the oldest entries come out", "[stages][multiline]") {
  LineRunner runner(kByLabel, 6000);
  const std::string text(600, 'x');
  Strings lines;
  for (const char c : std::string("abcdefgh"))
    lines.push_back(c + (">" + text));

  const auto out = runner.Run(lines);

  CHECK_FALSE(out.empty());
  CHECK(out.size() < 8);
  CHECK(out[0].labels == R"({c="a"})");
  CHECK_FALSE(runner.held_memory.full());
  CHECK(Hits(runner, "memory", "agent_stage_bounds_reached_total job stages[3].multiline ") > 0);
  CHECK(out.size() + runner.Flush(FlushReason::kEnd).size() == 8);
}

TEST_CASE("multiline: a label set too many makes it forget the oldest", "[stages][multiline]") {
  LineRunner runner(R"(
    - logfmt: {mapping: {id: }}
    - labels: {id: }
    - multiline: {firstline: '^>'}
  )",
                    std::size_t{100} << 20);
  Strings lines;
  for (std::size_t i = 0; i <= HoldBounds::kMaxLabelSets; ++i)
    lines.push_back("> id=" + std::to_string(i));

  SECTION("in one block") {
    const auto out = runner.Run(lines);
    CHECK(Lines(out) == Strings{"> id=0"});
  }
  SECTION("over several") {
    const std::string last = lines.back();
    lines.pop_back();
    CHECK(runner.Run(lines).empty());
    CHECK(Lines(runner.Run({last})) == Strings{"> id=0"});
  }
  CHECK(Hits(runner, "label_sets", "agent_stage_bounds_reached_total job stages[2].multiline ") ==
        1);
  CHECK(Lines(runner.Run({"id=0"})) == Strings{"id=0"});
  CHECK(runner.Run({"id=1"}).empty());
}

TEST_CASE("multiline: inside match, waiting entries pass what follows there",
          "[stages][multiline]") {
  LineRunner runner(R"(
    - match:
        selector: '{app="x"}'
        stages:
          - multiline: {firstline: '^>'}
          - static_labels: {joined: 'yes'}
  )");
  runner.labels = {{"app", "x"}};
  runner.Run({">1", "a"});
  REQUIRE(runner.pipeline().NextDeadline().has_value());
  runner.clock.Advance(3 * kNanosPerSecond);

  const auto out = runner.Flush(FlushReason::kDeadline);

  REQUIRE(Lines(out) == Strings{">1\na"});
  CHECK(out[0].labels == R"({app="x", joined="yes"})");
}

TEST_CASE("multiline: label sets that it knows survive a sweep", "[stages][multiline]") {
  LineRunner runner(kByLabel);
  runner.Run({"a>1", "b>2"});
  runner.Flush(FlushReason::kEnd);
  runner.Run({"a1"});
  runner.sets.Sweep();
  runner.sets.Intern({{"other", "set"}});

  const auto out = runner.Run({"a>3", "b4", "b>5"});

  REQUIRE(Lines(out) == Strings{"1", "4"});
  CHECK(out[0].labels == R"({c="a"})");
  CHECK(out[1].labels == R"({c="b"})");
}

TEST_CASE("multiline: any lines in any blocks give what Promtail gives", "[stages][multiline]") {
  const uint32_t seed = GENERATE(range(1U, 9U));
  std::mt19937 dice(seed);
  const bool by_label = seed % 2 == 0;  // Else they stand together in memory.
  LineRunner runner(by_label ? kByLabel : "[multiline: {firstline: '^>', max_lines: 5}]");
  std::map<std::string, Strings> lines;
  std::map<std::string, Strings> got;
  const auto collect = [&](const std::vector<LineRunner::Out>& out) {
    for (const LineRunner::Out& one : out)
      got[one.labels].push_back(one.line);
    runner.Release();
  };

  const Strings choices = {">1", ">2", "", "", "a", "b", "longer than the others", "c"};
  for (int block = 0; block < 300; ++block) {
    std::string text;
    for (std::size_t i = dice() % 12; i > 0; --i) {
      const std::string line = choices[dice() % choices.size()];
      std::string label;
      if (by_label) label = static_cast<char>('a' + dice() % 3);
      lines[by_label ? "{c=\"" + label + "\"}" : "{}"].push_back(line);
      text += label + line + "\n";
    }
    const std::size_t size = text.size();
    text.append(kTextPadding, '\n');
    collect(runner.RunText(std::string_view(text).substr(0, size)));
  }
  collect(runner.Flush(FlushReason::kEnd));

  for (const auto& [labels, all] : lines) {
    INFO(labels);
    CHECK(got[labels] == Reference(all, 5));
  }
  const LedgerBalance balance = runner.progress->Balance(0);
  CHECK(balance.in_flight == 0);
  CHECK(balance.read == balance.settled + balance.dropped);
  CHECK(runner.progress->idle());
}

TEST_CASE("multiline: configuration problems", "[stages][multiline]") {
  CHECK(LineRunner("[multiline: {}]").problems().find("firstline") != std::string::npos);
  CHECK_FALSE(LineRunner("[multiline: ]").built());
  CHECK_FALSE(LineRunner("[multiline: {firstline: '('}]").built());
  CHECK_FALSE(LineRunner("[multiline: {firstline: a, max_lines: -1}]").built());
  CHECK_FALSE(LineRunner("[multiline: {firstline: a, max_wait_time: 3}]").built());
  CHECK(LineRunner("[multiline: {firstline: a, max_wait_time: 0, MAX_LINES: true}]").built());
}

}  // namespace agent
