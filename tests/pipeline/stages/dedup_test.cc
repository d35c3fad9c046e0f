// What pipelines/dedup.yaml cannot say: time, blocks, bytes, memory.

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

constexpr const char* kSuffix = "[dedup: {window: 10s, count_as: suffix}]";

Strings Lines(const std::vector<LineRunner::Out>& out) {
  Strings lines;
  for (const LineRunner::Out& one : out)
    lines.push_back(one.line);
  return lines;
}

}  // namespace

TEST_CASE("dedup: a run goes on in the next block; only its last line is held", "[stages][dedup]") {
  LineRunner runner(kSuffix);

  CHECK(Lines(runner.Run({"a", "a", "a"})) == Strings{"a"});
  CHECK(runner.progress->min_settled() == 4);
  CHECK(runner.progress->Balance(0).dropped == 2);
  CHECK(runner.Run({"a"}).empty());
  runner.Release();
  CHECK(runner.progress->min_settled() == 6);
  CHECK(runner.progress->Balance(0).dropped == 4);
  CHECK(runner.held_memory.used() > 0);

  CHECK(Lines(runner.Run({"b"})) == Strings{"a [repeated 3 times]", "b"});
  runner.Release();
  CHECK(runner.progress->idle());
  CHECK(runner.progress->Balance(0).in_flight == 0);
}

TEST_CASE("dedup: a repeat comes out when the window is over, with its own time",
          "[stages][dedup]") {
  LineRunner runner(kSuffix);
  const int64_t begin = runner.clock.MonotonicNanos();
  runner.Run({"a"});
  CHECK_FALSE(runner.pipeline().NextDeadline().has_value());
  runner.clock.Advance(4 * kNanosPerSecond);
  runner.Run({"a"});
  runner.clock.Advance(4 * kNanosPerSecond);
  runner.Run({"a"});
  CHECK(runner.pipeline().NextDeadline() == begin + 10 * kNanosPerSecond);
  CHECK(runner.Flush(FlushReason::kDeadline).empty());

  runner.clock.Advance(2 * kNanosPerSecond);
  const auto out = runner.Flush(FlushReason::kDeadline);

  REQUIRE(Lines(out) == Strings{"a [repeated 2 times]"});
  CHECK(out[0].timestamp_ns == FakeClock::kStart + 8 * kNanosPerSecond);
  CHECK_FALSE(runner.pipeline().NextDeadline().has_value());
  CHECK(Lines(runner.Run({"a"})) == Strings{"a"});  // Of a new run.
}

TEST_CASE("dedup: after the window the same line passes again", "[stages][dedup]") {
  LineRunner runner(kSuffix);
  runner.Run({"a", "a"});
  runner.clock.Advance(10 * kNanosPerSecond);

  CHECK(Lines(runner.Run({"a", "a"})) == Strings{"a [repeated 1 time]", "a"});
}

TEST_CASE("dedup: what is open comes out at the end of its source and of input",
          "[stages][dedup]") {
  LineRunner runner(kSuffix);
  runner.Run({"a", "a"});

  SECTION("of its source") {
    const auto other = LineRunner::NewSource();
    CHECK(runner.EndOfSource(*other).empty());
    CHECK(Lines(runner.EndOfSource(*runner.progress)) == Strings{"a [repeated 1 time]"});
  }
  SECTION("of input") {
    const FlushReason reason = GENERATE(FlushReason::kEnd, FlushReason::kStop);
    CHECK(Lines(runner.Flush(reason)) == Strings{"a [repeated 1 time]"});
  }
  CHECK(runner.EndOfSource(*runner.progress).empty());
  CHECK(runner.Flush(FlushReason::kEnd).empty());
}

TEST_CASE("dedup: an abandoned repeat stays unsettled and passes when it is read again",
          "[stages][dedup]") {
  LineRunner runner(kSuffix);
  runner.Run({"a", "a", "a"});

  runner.pipeline().Abandon();

  CHECK(runner.progress->min_settled() == 4);
  CHECK(runner.held_memory.used() == 0);
  CHECK(Lines(runner.Run({"a"})) == Strings{"a"});
}

TEST_CASE("dedup: a label set too many makes it forget the oldest", "[stages][dedup]") {
  LineRunner runner(R"(
    - logfmt: {mapping: {id: }}
    - labels: {id: }
    - dedup: {count_as: suffix}
  )",
                    std::size_t{100} << 20);
  runner.Run({"id=first", "id=first"});
  Strings lines;
  for (std::size_t i = 0; i < HoldBounds::kMaxLabelSets; ++i)
    lines.push_back("id=" + std::to_string(i));

  const auto out = runner.Run(lines);

  CHECK(out.size() == lines.size() + 1);
  CHECK(out.back().line == "id=first [repeated 1 time]");
  RecordingMetrics metrics;
  runner.shared.CollectMetrics(metrics);
  CHECK(metrics.Value("agent_stage_bounds_reached_total job stages[2].dedup label_sets") == 1);
}

TEST_CASE("dedup: when memory is short the oldest runs come out", "[stages][dedup]") {
  LineRunner runner(R"(
    - regex: {expression: '^(?P<c>.)'}
    - labels: {c: }
    - dedup: {}
  )",
                    4000);
  const std::string text(800, 'x');
  Strings lines;
  for (const char c : std::string("aabbccdd"))
    lines.push_back(c + text);

  const auto out = runner.Run(lines);

  CHECK_FALSE(runner.held_memory.full());
  CHECK(out.size() > 4);
  CHECK(out.size() + runner.Flush(FlushReason::kEnd).size() == 8);
}

TEST_CASE("dedup: no line is lost, and none counted twice", "[stages][dedup]") {
  std::mt19937 dice(GENERATE(1U, 2U, 3U));
  LineRunner runner(R"(
    - regex: {expression: '^(?P<c>.)'}
    - labels: {c: }
    - dedup: {window: 5s, count_as: suffix}
  )");
  std::map<std::string, std::size_t> given;
  std::map<std::string, std::size_t> got;
  const auto collect = [&](const std::vector<LineRunner::Out>& out) {
    for (const LineRunner::Out& one : out) {
      const std::size_t mark = one.line.find(" [repeated ");
      got[one.line.substr(0, mark)] +=
          mark == std::string::npos ? 1 : std::stoul(one.line.substr(mark + 11));
    }
    runner.Release();
  };
  for (int block = 0; block < 300; ++block) {
    Strings lines;
    for (std::size_t i = dice() % 8; i > 0; --i) {
      lines.push_back(std::string(1, static_cast<char>('a' + dice() % 2)) +
                      std::to_string(dice() % 2));
      ++given[lines.back()];
    }
    collect(runner.Run(lines));
    runner.clock.Advance(static_cast<int64_t>(dice() % 3) * kNanosPerSecond);
    collect(runner.Flush(FlushReason::kDeadline));
  }
  collect(runner.Flush(FlushReason::kEnd));

  CHECK(got == given);
  const LedgerBalance balance = runner.progress->Balance(0);
  CHECK(balance.in_flight == 0);
  CHECK(balance.read == balance.settled + balance.dropped);
  CHECK(runner.progress->idle());
}

TEST_CASE("dedup: configuration problems", "[stages][dedup]") {
  CHECK_FALSE(LineRunner("[dedup: {window: 0s}]").built());
  CHECK_FALSE(LineRunner("[dedup: {window: 10}]").built());
  CHECK_FALSE(LineRunner("[dedup: {count_as: metdata}]").built());
  CHECK(LineRunner("[dedup: {count_as: sufix}]").problems().find("did you mean 'suffix'") !=
        std::string::npos);
  CHECK_FALSE(LineRunner("[dedup: {ignore: '('}]").built());
  CHECK_FALSE(LineRunner("[dedup: {source: ''}]").built());
  CHECK_FALSE(LineRunner("[dedup: {name: ''}]").built());
  CHECK(LineRunner("[dedup: ]").built());
}

}  // namespace agent
