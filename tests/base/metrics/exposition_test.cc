#include "base/metrics/exposition.h"

#include <array>
#include <string>

#include <catch2/catch.hpp>

namespace agent {
namespace {

using Catch::Contains;

CustomFamily Counter(std::string name, std::string help, Labels labels, double value) {
  return {.name = std::move(name),
          .help = std::move(help),
          .type = MetricType::kCounter,
          .bounds = {},
          .series = {{.labels = std::move(labels), .value = value, .bucket_counts = {}}}};
}

std::size_t Count(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++count;
  return count;
}

TEST_CASE("exposition: families by name, series by label values, one HELP and TYPE each",
          "[metrics]") {
  Exposition page;
  page.Add("promtail_sent_bytes_total", {"b:1"}, 2);
  page.Add("promtail_sent_bytes_total", {"a:1"}, 1);
  page.Add("agent_open_files", {}, 3);

  CHECK(page.Text() ==
        "# HELP agent_open_files Log files that are open.\n"
        "# TYPE agent_open_files gauge\n"
        "agent_open_files 3\n"
        "# HELP promtail_sent_bytes_total Compressed bytes of acknowledged batches.\n"
        "# TYPE promtail_sent_bytes_total counter\n"
        "promtail_sent_bytes_total{host=\"a:1\"} 1\n"
        "promtail_sent_bytes_total{host=\"b:1\"} 2\n");
}

TEST_CASE("exposition: the same series from several workers adds up", "[metrics]") {
  Exposition page;
  const std::array<double, 2> bounds = {0.1, 1};
  const std::array<uint64_t, 3> counts = {1, 2, 3};
  const HistogramSnapshot histogram{.bounds = bounds, .counts = counts, .sum = 2.5};
  for (int worker = 0; worker < 2; ++worker) {
    page.Add("agent_label_sets", {}, 4);
    page.AddHistogram("promtail_request_duration_seconds", {"204", "loki:3100"}, histogram);
  }

  const std::string text = page.Text();

  CHECK_THAT(text, Contains("agent_label_sets 8\n"));
  CHECK_THAT(text, Contains("_count{status_code=\"204\",host=\"loki:3100\"} 12\n"));
  CHECK_THAT(text, Contains("_sum{status_code=\"204\",host=\"loki:3100\"} 5\n"));
  CHECK_THAT(text, Contains("_bucket{status_code=\"204\",host=\"loki:3100\",le=\"0.1\"} 2\n"));
  CHECK_THAT(text, Contains("_bucket{status_code=\"204\",host=\"loki:3100\",le=\"1\"} 6\n"));
  CHECK_THAT(text, Contains("_bucket{status_code=\"204\",host=\"loki:3100\",le=\"+Inf\"} 12\n"));
}

TEST_CASE("exposition: values and help texts cannot break the page", "[metrics]") {
  Exposition page;
  page.Add("promtail_read_lines_total", {"/var/log/a\"b\\c\nd\xff.log"}, 1);
  page.AddCustom(Counter("promtail_custom_x_total", "two\nlines \\ and \xff", {{"a", "\xfe"}}, 1));

  const std::string text = page.Text();

  CHECK_THAT(text, Contains(R"(path="/var/log/a\"b\\c\nd)"
                            "\xEF\xBF\xBD.log\"} 1\n"));
  CHECK_THAT(text, Contains("# HELP promtail_custom_x_total two\\nlines \\\\ and \xEF\xBF\xBD\n"));
  CHECK_THAT(text, Contains("promtail_custom_x_total{a=\"\xEF\xBF\xBD\"} 1\n"));
}

TEST_CASE("exposition: a custom metric defined twice is one family with the first help",
          "[metrics]") {
  Exposition page;
  page.AddCustom(Counter("promtail_custom_lines_total", "first", {{"job", "a"}}, 1));
  page.AddCustom(Counter("promtail_custom_lines_total", "second", {{"job", "a"}}, 2));
  page.AddCustom(Counter("promtail_custom_lines_total", "third", {{"app", "b"}}, 5));

  const std::string text = page.Text();

  CHECK(Count(text, "# HELP promtail_custom_lines_total") == 1);
  CHECK(Count(text, "# TYPE promtail_custom_lines_total") == 1);
  CHECK_THAT(text, Contains("promtail_custom_lines_total{job=\"a\"} 3\n"));
  CHECK_THAT(text, Contains("promtail_custom_lines_total{app=\"b\"} 5\n"));
  CHECK_THAT(text, !Contains("second") && !Contains("agent_custom_metrics_skipped"));
}

TEST_CASE("exposition: a custom gauge defined twice keeps the later value", "[metrics]") {
  Exposition page;
  CustomFamily gauge = Counter("promtail_custom_level", "", {}, 7);
  gauge.type = MetricType::kGauge;
  page.AddCustom(gauge);
  gauge.series[0].value = 4;
  page.AddCustom(gauge);

  CHECK_THAT(page.Text(), Contains("promtail_custom_level 4\n"));
}

TEST_CASE("exposition: a custom histogram is cumulative and ends in +Inf", "[metrics]") {
  Exposition page;
  page.AddCustom({.name = "promtail_custom_took",
                  .help = "h",
                  .type = MetricType::kHistogram,
                  .bounds = {1, 2},
                  .series = {{.labels = {{"a", "b"}}, .value = 9, .bucket_counts = {1, 0, 2}}}});

  const std::string text = page.Text();

  CHECK_THAT(text, Contains("promtail_custom_took_bucket{a=\"b\",le=\"1\"} 1\n"));
  CHECK_THAT(text, Contains("promtail_custom_took_bucket{a=\"b\",le=\"2\"} 1\n"));
  CHECK_THAT(text, Contains("promtail_custom_took_bucket{a=\"b\",le=\"+Inf\"} 3\n"));
  CHECK_THAT(text, Contains("promtail_custom_took_sum{a=\"b\"} 9\n"));
}

TEST_CASE("exposition: what would make the page invalid is left out and counted", "[metrics]") {
  CustomFamily histogram{.name = "promtail_custom_h",
                         .help = "",
                         .type = MetricType::kHistogram,
                         .bounds = {1},
                         .series = {{.labels = {}, .value = 1, .bucket_counts = {1, 0}}}};
  Exposition page;
  page.AddCustom(histogram);
  std::string reason;
  SECTION("a name that is none") {
    page.AddCustom(Counter("bad-name", "", {}, 1));
    reason = "name";
  }
  SECTION("a label name that is none") {
    page.AddCustom(Counter("x_total", "", {{"bad-label", "v"}}, 1));
    reason = "label";
  }
  SECTION("a histogram with the label le") {
    histogram.series[0].labels = {{"le", "v"}};
    page.AddCustom(histogram);
    reason = "label";
  }
  SECTION("another type under the same name") {
    page.AddCustom(Counter("promtail_custom_h", "", {}, 1));
    reason = "conflict";
  }
  SECTION("other bounds under the same name") {
    histogram.bounds = {2};
    page.AddCustom(histogram);
    reason = "conflict";
  }
  SECTION("a counter named as a histogram's sample") {
    page.AddCustom(Counter("promtail_custom_h_count", "", {}, 1));
    reason = "conflict";
  }
  SECTION("a name of the agent's own") {
    page.AddCustom(Counter("promtail_sent_bytes_total", "", {}, 1));
    reason = "conflict";
  }
  SECTION("a sample name of a histogram of the agent's own") {
    page.AddCustom(Counter("promtail_request_duration_seconds_sum", "", {}, 1));
    reason = "conflict";
  }

  const std::string text = page.Text();

  CHECK_THAT(text, Contains("agent_custom_metrics_skipped{reason=\"" + reason + "\"} 1\n"));
  CHECK_THAT(text, Contains("promtail_custom_h_count 1\n"));
}

}  // namespace
}  // namespace agent
