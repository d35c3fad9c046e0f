#include "agent/pipeline_test/test_metrics.h"

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/go_format.h"
#include "base/metrics/metrics.h"

namespace agent {
namespace {

std::string Quoted(std::string_view text) {
  std::string out;
  AppendGoQuoted(text, out);
  return out;
}

// Takes metrics of the agent's own table.
class SharedMetrics final : public MetricSink {
 public:
  explicit SharedMetrics(TestMetrics& all) : all_(all) {}

  void Add(std::string_view name, std::initializer_list<std::string_view> label_values,
           double value) override {
    const MetricInfo* const info = FindMetric(name);
    AGENT_CHECK(info != nullptr && info->labels.size() == label_values.size());
    std::string labels;
    std::size_t i = 0;
    for (const std::string_view label_value : label_values) {
      labels += (i == 0 ? "" : ",") + std::string(info->labels[i]) + "=" + Quoted(label_value);
      ++i;
    }
    all_[std::string(name) + "{" + labels + "}"] = YamlNumber(value);
  }
  // Stages share none.
  void AddHistogram(std::string_view /*name*/,
                    std::initializer_list<std::string_view> /*label_values*/,
                    const HistogramSnapshot& /*histogram*/) override {}

 private:
  TestMetrics& all_;
};

void AddSeries(const CustomMetricDefinition& definition, const CustomMetric::Series& series,
               TestMetrics& all) {
  std::string labels;
  for (const Label& label : series.labels) {
    labels += (labels.empty() ? "" : ",") + label.name + "=" + Quoted(label.value);
  }
  const auto add = [&](const std::string& suffix, const std::string& own, double value) {
    std::string both = own + (own.empty() || labels.empty() ? "" : ",") + labels;
    if (!both.empty()) both = "{" + both + "}";
    all[definition.name + suffix + both] = YamlNumber(value);
  };
  if (definition.type != CustomMetricType::kHistogram) return add("", "", series.value);
  uint64_t below = 0;
  for (std::size_t i = 0; i < series.bucket_counts.size(); ++i) {
    below += series.bucket_counts[i];
    std::string bound = "+Inf";
    if (i < definition.buckets.size()) {
      bound.clear();
      AppendGoFloat(definition.buckets[i], bound);
    }
    add("_bucket", "le=\"" + bound + "\"", static_cast<double>(below));
  }
  add("_sum", "", series.value);
  add("_count", "", static_cast<double>(series.count));
}

}  // namespace

TestMetrics CollectTestMetrics(const Pipeline& pipeline, const CustomMetrics& custom,
                               const SharedStates& shared, int64_t now_ns) {
  TestMetrics all;
  for (const auto& drop : pipeline.drops()) {
    if (!drop->promtail_counts || drop->lines.value() == 0) continue;
    all["logentry_dropped_lines_total{reason=" + Quoted(drop->reason) + "}"] =
        YamlNumber(static_cast<double>(drop->lines.value()));
  }
  for (const auto& metric : custom.all()) {
    for (const CustomMetric::Series& series : metric->Scrape(now_ns))
      AddSeries(metric->definition(), series, all);
  }
  SharedMetrics sink(all);
  shared.CollectMetrics(sink);
  return all;
}

}  // namespace agent
