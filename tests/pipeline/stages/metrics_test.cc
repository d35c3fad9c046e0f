#include <map>

#include "pipeline/stages/stages.h"
#include "tests/pipeline/stages/stage_fixture.h"

namespace agent {
namespace {

// "name{labels}" to value; of histograms the sum.
std::map<std::string, double> Values(StageFixture& stage) {
  std::map<std::string, double> values;
  for (const auto& metric : stage.metrics.all()) {
    for (const CustomMetric::Series& series : metric->Scrape(stage.clock.MonotonicNanos())) {
      values[metric->definition().name + FormatLabels(series.labels)] = series.value;
    }
  }
  return values;
}

TEST_CASE("metrics: counts by source, value, and every entry", "[stages][metrics]") {
  StageFixture stage(MakeMetricsStage, R"(
level: {type: Counter, config: {action: inc}}
errors: {type: counter, source: level, config: {value: error, action: INC}}
seen: {type: Counter, prefix: app_, config: {match_all: true, action: inc}}
seen_bytes:
  {type: Counter, prefix: app_, config: {match_all: true, count_entry_bytes: true, action: add}}
)");
  INFO(stage.problems());
  REQUIRE(stage.built());
  stage.Reset({{"__internal", "x"}, {"app", "a"}});
  stage.Add("level=error", {{"level", Value::String("error")}});
  stage.Add("level=info", {{"level", Value::String("info")}});
  stage.Add("none");

  stage.Run();

  CHECK(Values(stage) == std::map<std::string, double>{
                             {"promtail_custom_level{app=\"a\"}", 2},
                             {"promtail_custom_errors{app=\"a\"}", 1},
                             {"app_seen{app=\"a\"}", 3},
                             {"app_seen_bytes{app=\"a\"}", 25},
                         });
}

TEST_CASE("metrics: series beyond the limit are counted, or not made at all", "[stages][metrics]") {
  const auto refuses = GENERATE(false, true);
  CustomMetric counter({.name = "n"}, {.max_series = 2, .refuses = refuses});
  CustomMetric histogram({.name = "h", .type = CustomMetricType::kHistogram, .buckets = {1}},
                         {.max_series = 1, .refuses = refuses});

  CHECK(counter.Add({{"a", "1"}}, 1, 0));
  CHECK(counter.Add({{"a", "2"}}, 1, 0));
  CHECK_FALSE(counter.Add({{"a", "3"}}, 1, 0));
  CHECK(counter.Add({{"a", "1"}}, 1, 0));
  CHECK(counter.series() == (refuses ? 2 : 3));
  CHECK(counter.exceeded() == 1);
  CHECK(histogram.Observe({{"a", "1"}}, 0.5, 0));
  CHECK_FALSE(histogram.Observe({{"a", "2"}}, 0.5, 0));
  CHECK(histogram.series() == (refuses ? 1 : 2));
  // Series that are idle make room.
  const int64_t later = 301 * kNanosPerSecond;
  counter.Scrape(later);
  CHECK(counter.Add({{"a", "4"}}, 1, later));
}

TEST_CASE("metrics: gauges set, count and add", "[stages][metrics]") {
  StageFixture stage(MakeMetricsStage, R"(
a: {type: Gauge, source: v, config: {action: set}}
b: {type: Gauge, source: v, config: {action: inc}}
c: {type: Gauge, source: v, config: {action: dec}}
d: {type: Gauge, source: v, config: {action: add}}
e: {type: Gauge, source: v, config: {action: sub}}
)");
  stage.Add("", {{"v", Value::Number(2)}});
  stage.Add("", {{"v", Value::Number(-5)}});
  stage.Add("", {{"v", Value::String("not a number")}});

  stage.Run();

  CHECK(Values(stage) == std::map<std::string, double>{
                             {"promtail_custom_a{}", -5},
                             {"promtail_custom_b{}", 3},
                             {"promtail_custom_c{}", -3},
                             {"promtail_custom_d{}", -3},
                             {"promtail_custom_e{}", 3},
                         });
}

TEST_CASE("metrics: a histogram takes numbers, durations and booleans", "[stages][metrics]") {
  StageFixture stage(MakeMetricsStage,
                     "took: {type: Histogram, config: {buckets: [0.1, 1, .inf]}}");
  stage.Add("", {{"took", Value::String("150ms")}});
  stage.Add("", {{"took", Value::Number(2)}});
  stage.Add("", {{"took", Value::Bool(true)}});
  stage.Add("", {{"took", Value::String("slow")}});
  stage.Add("", {{"took", Value::Null()}});

  stage.Run();

  const auto series = stage.metrics.all()[0]->Scrape(0);
  REQUIRE(series.size() == 1);
  CHECK(series[0].value == Approx(3.15));
  CHECK(series[0].count == 3);
  CHECK(series[0].bucket_counts == std::vector<uint64_t>{0, 2, 1});
}

TEST_CASE("metrics: forms of numbers in text", "[stages][metrics]") {
  struct Case {
    const char* text;
    double want;  // 0: not counted.
  };
  const auto c = GENERATE(values<Case>({{"1.5", 1.5},
                                        {"1e2", 100},
                                        {"0x10p0", 16},
                                        {"250ms", 0.25},
                                        {"1h30m", 5400},
                                        {"1_000", 1000},
                                        {"", 0},
                                        {" 1", 0},
                                        {"1d", 0}}));
  INFO(c.text);
  StageFixture stage(MakeMetricsStage, "v: {type: Gauge, config: {action: set}}");
  stage.Add("", {{"v", Value::String(c.text)}});

  stage.Run();

  CHECK(Values(stage)["promtail_custom_v{}"] == c.want);
}

TEST_CASE("metrics: inc needs the key, not a number; null is there", "[stages][metrics]") {
  StageFixture stage(MakeMetricsStage, "v: {type: Counter, config: {action: inc}}");
  stage.Add("", {{"v", Value::Null()}});
  stage.Add("", {{"v", Value::String("text")}});
  stage.Add("");

  stage.Run();

  CHECK(Values(stage)["promtail_custom_v{}"] == 2);
}

TEST_CASE("metrics: a negative number for a counter is not added, and counted",
          "[stages][metrics]") {
  StageFixture stage(MakeMetricsStage, "v: {type: Counter, config: {action: add}}");
  stage.Add("", {{"v", Value::Number(3)}});
  stage.Add("", {{"v", Value::Number(-1)}});
  stage.Add("", {{"v", Value::String("-1s")}});

  stage.Run();

  CHECK(Values(stage)["promtail_custom_v{}"] == 3);
  CHECK(stage.metrics.all()[0]->rejected() == 2);
}

TEST_CASE("metrics: a filter selects entries in place of a value", "[stages][metrics]") {
  StageFixture stage(MakeMetricsStage, R"(
log_errors_total:
  type: Counter
  description: "Total error log lines"
  source: level
  config: {action: inc, value: "1", match_all: false, filter: 'level == "error"'}
)");
  INFO(stage.problems());
  REQUIRE(stage.built());
  stage.Add("1", {{"level", Value::String("error")}});
  stage.Add("2", {{"level", Value::String("info")}});
  stage.Add("3");
  stage.Add("4", {{"level", Value::String("error")}});

  stage.Run();

  CHECK(Values(stage)["promtail_custom_log_errors_total{}"] == 2);
}

TEST_CASE("metrics: comparisons of a filter", "[stages][metrics]") {
  struct Case {
    const char* filter;
    double want;
  };
  const auto c = GENERATE(values<Case>({{"app == web", 1},
                                        {"app=\"web\"", 1},
                                        {"app != 'web'", 2},
                                        {"app =~ \"w.*|db\"", 2},
                                        {"app !~ 'w.*'", 2},
                                        {"app == \"\"", 1}}));
  INFO(c.filter);
  StageFixture stage(MakeMetricsStage,
                     "n:\n  type: Counter\n  config:\n    action: inc\n    match_all: true\n"
                     "    filter: |-\n      " +
                         std::string(c.filter));
  INFO(stage.problems());
  REQUIRE(stage.built());
  stage.Add("1", {{"app", Value::String("web")}});
  stage.Add("2", {{"app", Value::String("db")}});
  stage.Add("3");

  stage.Run();

  CHECK(Values(stage)["promtail_custom_n{}"] == c.want);
}

TEST_CASE("metrics: each label set has its own series", "[stages][metrics]") {
  StageFixture stage(MakeMetricsStage,
                     "n: {type: Counter, config: {action: inc, match_all: true}}");
  for (int i = 0; i < 10; ++i) {
    const EntryIndex entry = stage.Add("x");
    stage.block().SetLabels(
        entry, stage.label_sets().Intern({{"n", std::to_string(i % 3)}, {"__tenant_id__", "t"}}));
  }

  stage.Run();

  CHECK(Values(stage) == std::map<std::string, double>{{"promtail_custom_n{n=\"0\"}", 4},
                                                       {"promtail_custom_n{n=\"1\"}", 3},
                                                       {"promtail_custom_n{n=\"2\"}", 3}});
}

TEST_CASE("metrics: numbers of label sets are forgotten when they are given out anew",
          "[stages][metrics]") {
  StageFixture stage(MakeMetricsStage,
                     "n: {type: Counter, config: {action: inc, match_all: true}}");
  stage.Reset({{"app", "old"}});
  stage.Add("x");
  stage.Run();
  stage.label_sets().Sweep();
  stage.Reset({{"app", "new"}});
  stage.Add("x");

  stage.Run();

  CHECK(Values(stage) == std::map<std::string, double>{{"promtail_custom_n{app=\"new\"}", 1},
                                                       {"promtail_custom_n{app=\"old\"}", 1}});
}

TEST_CASE("metrics: an idle series is shown once more, then gone", "[stages][metrics]") {
  StageFixture stage(
      MakeMetricsStage,
      "n: {type: Counter, max_idle_duration: 10s, config: {action: inc, match_all: true}}");
  stage.Add("x");
  stage.Run();
  stage.clock.Advance(9 * kNanosPerSecond);
  CHECK(Values(stage).size() == 1);
  stage.clock.Advance(1 * kNanosPerSecond);

  CHECK(Values(stage).size() == 1);
  CHECK(Values(stage).empty());
  stage.Run();
  CHECK(Values(stage)["promtail_custom_n{}"] == 1);
}

TEST_CASE("metrics: workers of one job share a metric", "[stages][metrics]") {
  CustomMetrics metrics;
  CustomMetricDefinition definition;
  definition.name = "n";

  const auto first = metrics.Define("job/stages[0]", definition);
  const auto same = metrics.Define("job/stages[0]", definition);
  const auto other = metrics.Define("job/stages[1]", definition);

  CHECK(first == same);
  CHECK(first != other);
  CHECK(metrics.all().size() == 2);
}

TEST_CASE("metrics: what is wrong is reported", "[stages][metrics]") {
  struct Case {
    const char* yaml;
    const char* want;
  };
  const auto c = GENERATE(values<Case>({
      {"", "expected a map"},
      {"n: {config: {action: inc}}", "type: missing"},
      {"n: {type: Timer, config: {action: inc}}", "unknown metric type"},
      {"n: {type: Counter}", "an action is required"},
      {"n: {type: Counter, config: {action: set}}", "unknown action 'set'"},
      {"n: {type: Gauge, config: {action: up}}", "set, inc, dec, add, sub"},
      {"n: {type: Counter, config: {action: inc, match_all: true, value: x}}", "exclude"},
      {"n: {type: Counter, config: {action: inc, count_entry_bytes: true}}", "match_all: true"},
      {"n: {type: Counter, max_idle_duration: 10ms, config: {action: inc}}", "at least 1s"},
      {"n: {type: Histogram, config: {buckets: [1, 1]}}", "must rise"},
      {"n: {type: Histogram, config: {buckets: [a]}}", "expected a number"},
      {"n: {type: Counter, config: {action: inc, filter: level}}", "no comparison"},
      {"n: {type: Counter, config: {action: inc, filter: 'a == \"b'}}", "closing quote"},
      {"n: {type: Counter, config: {action: inc, filter: 'a == b and c'}}", "more than one"},
      {"'a-b': {type: Counter, config: {action: inc}}", "is not a metric name"},
      {"n: {type: Counter, config: {action: inc, value: 5}}", "expected a string"},
  }));
  INFO(c.yaml);

  const StageFixture stage(MakeMetricsStage, c.yaml);

  CHECK_FALSE(stage.built());
  CHECK_THAT(stage.problems(), Catch::Contains(c.want));
}

}  // namespace
}  // namespace agent
