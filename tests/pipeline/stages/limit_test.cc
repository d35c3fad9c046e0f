// What pipelines/limit.yaml cannot say: time, workers, bytes.

#include <memory>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "pipeline/stages/label_limits.h"
#include "tests/pipeline/stages/line_runner.h"
#include "tests/support/recording_metrics.h"

namespace agent {
namespace {

using Strings = std::vector<std::string>;

Strings Lines(const std::vector<LineRunner::Out>& out) {
  Strings lines;
  for (const LineRunner::Out& one : out)
    lines.push_back(one.line);
  return lines;
}

Strings Numbers(int from, int to) {
  Strings numbers;
  for (int i = from; i <= to; ++i)
    numbers.push_back(std::to_string(i));
  return numbers;
}

}  // namespace

TEST_CASE("limit: the bucket fills again by the rate", "[stages][limit]") {
  LineRunner runner("[limit: {rate: 2, burst: 3, drop: true}]");

  CHECK(runner.Run(Numbers(1, 5)).size() == 3);
  runner.clock.Advance(kNanosPerSecond / 2);
  CHECK(Lines(runner.Run(Numbers(1, 5))) == Strings{"1"});
  runner.clock.Advance(100 * kNanosPerSecond);
  CHECK(runner.Run(Numbers(1, 5)).size() == 3);
  CHECK(runner.progress->Balance(0).in_flight == 0);
  CHECK(runner.progress->Balance(0).dropped == 2 * (2 + 4 + 2));
}

TEST_CASE("limit: lines over the rate wait, and come out in order at the rate", "[stages][limit]") {
  LineRunner runner("[limit: {rate: 1, burst: 2}]");
  CHECK(runner.pipeline().limits_reading());
  CHECK_FALSE(runner.pipeline().full());

  CHECK(Lines(runner.Run(Numbers(1, 4))) == Strings{"1", "2"});
  CHECK(runner.pipeline().full());
  CHECK(runner.progress->min_settled() == 4);
  CHECK(runner.held_memory.used() > 0);
  const int64_t begin = runner.clock.MonotonicNanos();
  CHECK(runner.pipeline().NextDeadline() == begin + kNanosPerSecond);
  CHECK(runner.Flush(FlushReason::kDeadline).empty());
  CHECK(runner.Flush(FlushReason::kEnd).empty());

  runner.clock.Advance(kNanosPerSecond);
  CHECK(Lines(runner.Flush(FlushReason::kDeadline)) == Strings{"3"});
  runner.Release();
  CHECK(runner.progress->min_settled() == 6);
  CHECK(runner.pipeline().full());
  runner.clock.Advance(kNanosPerSecond);
  CHECK(Lines(runner.Flush(FlushReason::kDeadline)) == Strings{"4"});
  runner.Release();

  CHECK_FALSE(runner.pipeline().full());
  CHECK_FALSE(runner.pipeline().NextDeadline().has_value());
  CHECK(runner.progress->idle());
  CHECK(runner.progress->Balance(0).in_flight == 0);
  CHECK(runner.held_memory.used() == 0);
}

TEST_CASE("limit: being late loses nothing of the rate", "[stages][limit]") {
  LineRunner runner("[limit: {rate: 1000, burst: 1}]");
  CHECK(Lines(runner.Run(Numbers(1, 2001))) == Strings{"1"});
  std::size_t out = 1;
  // Twenty lines belong to each deadline; every look is 7 ms late.
  for (int i = 0; i < 40; ++i) {
    runner.clock.Advance(*runner.pipeline().NextDeadline() - runner.clock.MonotonicNanos() +
                         7 * kNanosPerMilli);
    out += runner.Flush(FlushReason::kDeadline).size();
  }
  const int64_t elapsed_ms = (runner.clock.WallNanos() - FakeClock::kStart) / kNanosPerMilli;

  CHECK(out <= static_cast<std::size_t>(elapsed_ms) + 1);
  CHECK(out + 20 > static_cast<std::size_t>(elapsed_ms));
}

TEST_CASE("limit: what comes from stages before it while lines wait goes behind them",
          "[stages][limit]") {
  LineRunner runner(R"(
    - multiline: {firstline: '^\d', max_wait_time: 100ms}
    - limit: {rate: 1, burst: 1}
  )");
  CHECK(Lines(runner.Run({"1", "2", "3"})) == Strings{"1"});
  runner.clock.Advance(100 * kNanosPerMilli);
  CHECK(runner.Flush(FlushReason::kDeadline).empty());

  runner.clock.Advance(kNanosPerSecond);
  CHECK(Lines(runner.Flush(FlushReason::kDeadline)) == Strings{"2"});
  runner.clock.Advance(kNanosPerSecond);
  CHECK(Lines(runner.Flush(FlushReason::kDeadline)) == Strings{"3"});
}

TEST_CASE("limit: everything comes out when the agent stops and cannot read it again",
          "[stages][limit]") {
  LineRunner runner("[limit: {rate: 1, burst: 1}]");
  runner.Run(Numbers(1, 3));

  CHECK(Lines(runner.Flush(FlushReason::kStop)) == Strings{"2", "3"});
  CHECK_FALSE(runner.pipeline().full());
  CHECK(runner.Flush(FlushReason::kStop).empty());
}

TEST_CASE("limit: what is abandoned stays unsettled", "[stages][limit]") {
  LineRunner runner("[limit: {rate: 1, burst: 1}]");
  runner.Run(Numbers(1, 3));

  runner.pipeline().Abandon();

  CHECK_FALSE(runner.pipeline().full());
  CHECK(runner.progress->min_settled() == 2);
  CHECK_FALSE(runner.progress->idle());
}

TEST_CASE("limit: inside match it holds up the whole job", "[stages][limit]") {
  LineRunner runner(R"(
    - match:
        selector: '{app="x"} |= "slow"'
        stages:
          - limit: {rate: 1, burst: 1}
          - static_labels: {limited: 'yes'}
  )");
  runner.labels = {{"app", "x"}};

  CHECK(Lines(runner.Run({"slow 1", "slow 2", "fast"})) == Strings{"slow 1", "fast"});
  CHECK(runner.pipeline().full());
  CHECK(runner.pipeline().limits_reading());
  REQUIRE(runner.pipeline().NextDeadline().has_value());
  runner.clock.Advance(kNanosPerSecond);
  const auto out = runner.Flush(FlushReason::kDeadline);

  REQUIRE(Lines(out) == Strings{"slow 2"});
  CHECK(out[0].labels == R"({app="x", limited="yes"})");
  CHECK_FALSE(runner.pipeline().full());
}

TEST_CASE("limit: the workers of a job share a bucket", "[stages][limit]") {
  const std::string yaml = GENERATE(as<std::string>(), "[limit: {rate: 1, burst: 3, drop: true}]",
                                    "[limit: {rate: 1, burst: 3}]");
  LineRunner one(yaml);
  LineRunner other(yaml, one);

  CHECK(one.Run(Numbers(1, 2)).size() == 2);
  CHECK(other.Run(Numbers(1, 2)).size() == 1);
}

TEST_CASE("limit: by label, values that were silent for a generation are forgotten",
          "[stages][limit]") {
  FakeClock clock;
  LabelLimits limits({"app", /*rate=*/1e-9, /*burst=*/1, /*max_values=*/3}, clock);
  const auto dropped = [&](const std::string& value) {
    RecordingMetrics metrics;
    limits.CollectMetrics(metrics);
    return metrics.Value("logentry_dropped_lines_by_label_total app " + value);
  };

  CHECK(limits.Take("a", 3) == 1);
  CHECK(limits.Take("b", 1) == 1);
  CHECK(limits.Take("c", 1) == 1);
  CHECK(dropped("a") == 2);
  CHECK(limits.Take("d", 1) == 1);  // A new generation: the counts begin again.
  CHECK(dropped("a") == 0);
  CHECK(limits.Take("a", 1) == 0);  // Known from the one before.
  CHECK(dropped("a") == 1);
  CHECK(limits.Take("e", 1) == 1);
  CHECK(limits.Take("f", 1) == 1);
  CHECK(limits.Take("b", 1) == 1);  // Not seen for a generation: forgotten.
  CHECK(limits.Take("a", 1) == 0);
  CHECK(limits.values() <= 6);
}

TEST_CASE("limit: configuration problems", "[stages][limit]") {
  const auto problems = [](const std::string& body) {
    return LineRunner("[limit: " + body + "]").problems();
  };
  const auto has = [](const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  };
  CHECK(has(problems("{burst: 1}"), "above 0"));
  CHECK(has(problems("{rate: 1}"), "above 0"));
  CHECK(has(problems("{rate: 0, burst: 1}"), "above 0"));
  CHECK(has(problems("{rate: -1, burst: 1}"), "above 0"));
  CHECK(has(problems("{rate: many, burst: 1}"), "expected a number"));
  CHECK(has(problems("{rate: 1, burst: 1, by_label_name: app}"), "drop: true"));
  CHECK(has(problems("{rate: 1, burst: 1, drop: true, by_label_name: app, max_distinct_labels: 5}"),
            "10000"));
  CHECK(LineRunner("[limit: {rate: 1, burst: 1, drop: true, by_label_name: app, "
                   "max_distinct_labels: 5}]")
            .built());
  CHECK(problems("{RATE: '1.5', burst: true}").empty());
}

}  // namespace agent
