#include "base/metrics/exposition.h"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include <prometheus/metric_family.h>

#include "base/check.h"
#include "base/metrics/text_format.h"
#include "base/utf8.h"

namespace agent {
namespace {

using prometheus::ClientMetric;

constexpr std::string_view kSkipped = "agent_custom_metrics_skipped";

// Why a log-derived metric is left out.
constexpr std::string_view kBadName = "name";
constexpr std::string_view kBadLabel = "label";
constexpr std::string_view kConflict = "conflict";

struct Series {
  std::vector<ClientMetric::Label> labels;
  double value = 0;  // A histogram's sum.
  std::vector<uint64_t> bucket_counts;
};

struct Family {
  std::string help;
  MetricType type = MetricType::kCounter;
  bool custom = false;
  std::vector<double> bounds;
  std::map<std::string, Series, std::less<>> series;  // By their labels as one text.
};

// `[a-zA-Z_:][a-zA-Z0-9_:]*`.
bool IsValidMetricName(std::string_view name) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':';
  };
  return !name.empty() && letter(name.front()) &&
         std::all_of(name.begin(), name.end(),
                     [letter](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

std::string Sanitized(std::string_view text) {
  std::string out;
  AppendSanitized(text, out);
  return out;
}

// prometheus-cpp escapes label values, not help texts.
std::string EscapedHelp(std::string_view help) {
  std::string out;
  for (const char c : Sanitized(help)) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

// The names that samples of the family carry.
std::vector<std::string> SampleNames(const std::string& name, MetricType type) {
  if (type != MetricType::kHistogram) return {name};
  return {name, name + "_bucket", name + "_count", name + "_sum"};
}

void AppendKey(std::string_view part, std::string& key) {
  key.append(part);
  key += '\0';  // Sorts before everything else, so series come in the order of their labels.
}

prometheus::MetricType TypeOf(MetricType type) {
  switch (type) {
    case MetricType::kCounter:
      return prometheus::MetricType::Counter;
    case MetricType::kGauge:
      return prometheus::MetricType::Gauge;
    case MetricType::kHistogram:
      return prometheus::MetricType::Histogram;
  }
  return prometheus::MetricType::Untyped;
}

ClientMetric::Histogram ToHistogram(const Series& series, const std::vector<double>& bounds) {
  ClientMetric::Histogram histogram;
  for (std::size_t i = 0; i < series.bucket_counts.size(); ++i) {
    histogram.sample_count += series.bucket_counts[i];
    histogram.bucket.push_back(
        {.cumulative_count = histogram.sample_count,
         .upper_bound = i < bounds.size() ? bounds[i] : std::numeric_limits<double>::infinity()});
  }
  histogram.sample_sum = series.value;
  return histogram;
}

prometheus::MetricFamily ToPrometheus(const std::string& name, Family& family) {
  prometheus::MetricFamily out{
      .name = name, .help = EscapedHelp(family.help), .type = TypeOf(family.type), .metric = {}};
  out.metric.reserve(family.series.size());
  for (auto& [key, series] : family.series) {
    ClientMetric& metric = out.metric.emplace_back();
    metric.label = std::move(series.labels);
    metric.counter.value = series.value;
    metric.gauge.value = series.value;
    if (family.type == MetricType::kHistogram) {
      metric.histogram = ToHistogram(series, family.bounds);
    }
  }
  return out;
}

void AddBuckets(std::span<const uint64_t> counts, Series& series) {
  series.bucket_counts.resize(counts.size());
  for (std::size_t i = 0; i < counts.size(); ++i)
    series.bucket_counts[i] += counts[i];
}

bool IsValidLabels(const Labels& labels, MetricType type) {
  return std::all_of(labels.begin(), labels.end(), [type](const Label& label) {
    return IsValidLabelName(label.name) && !label.name.starts_with("__") &&
           !(type == MetricType::kHistogram && label.name == "le");
  });
}

void AddCustomSeries(const CustomSeries& from, Family& family) {
  std::string key;
  std::vector<ClientMetric::Label> labels;
  for (const Label& label : from.labels) {
    // To Prometheus an empty value and no label are the same; two such series would clash.
    if (label.value.empty()) continue;
    labels.push_back({.name = label.name, .value = Sanitized(label.value)});
    AppendKey(label.name, key);
    AppendKey(labels.back().value, key);
  }
  Series& series = family.series[key];
  series.labels = std::move(labels);
  series.value = from.value + (family.type == MetricType::kGauge ? 0 : series.value);
  if (family.type == MetricType::kHistogram) AddBuckets(from.bucket_counts, series);
}

}  // namespace

struct Exposition::State {
  std::map<std::string, Family, std::less<>> families;
  std::set<std::string, std::less<>> custom_sample_names;

  Series& At(std::string_view name, std::initializer_list<std::string_view> label_values,
             std::span<const double> bounds);
  Family* CustomFamilyFor(const CustomFamily& from);
};

// The series of a metric in the table.
Series& Exposition::State::At(std::string_view name,
                              std::initializer_list<std::string_view> label_values,
                              std::span<const double> bounds) {
  const MetricInfo* info = FindMetric(name);
  CHECK(info != nullptr);
  CHECK(info->labels.size() == label_values.size());
  CHECK((info->type == MetricType::kHistogram) == !bounds.empty());
  auto found = families.find(name);
  if (found == families.end()) {
    found = families
                .emplace(name, Family{.help = std::string(info->help),
                                      .type = info->type,
                                      .custom = false,
                                      .bounds = {bounds.begin(), bounds.end()},
                                      .series = {}})
                .first;
  }
  Family& family = found->second;
  CHECK(std::equal(bounds.begin(), bounds.end(), family.bounds.begin(), family.bounds.end()));

  std::string key;
  for (const std::string_view value : label_values)
    AppendKey(Sanitized(value), key);
  Series& series = family.series[key];
  if (series.labels.empty()) {
    const auto* value = label_values.begin();
    for (const std::string_view label : info->labels)
      series.labels.push_back({.name = std::string(label), .value = Sanitized(*value++)});
  }
  return series;
}

// Where the series of a log-derived metric go; null when it does not fit what is there.
Family* Exposition::State::CustomFamilyFor(const CustomFamily& from) {
  if (const auto found = families.find(from.name); found != families.end()) {
    Family& family = found->second;
    const bool fits = family.custom && family.type == from.type && family.bounds == from.bounds;
    return fits ? &family : nullptr;
  }
  // A histogram x has samples x_count, which another metric may be called.
  const std::vector<std::string> names = SampleNames(from.name, from.type);
  for (const std::string& name : names) {
    if (custom_sample_names.count(name) != 0 || FindMetric(name) != nullptr) return nullptr;
  }
  for (const MetricInfo& info : AllMetrics()) {
    if (info.type != MetricType::kHistogram) continue;
    const std::vector<std::string> taken = SampleNames(std::string(info.name), info.type);
    if (std::find_first_of(taken.begin(), taken.end(), names.begin(), names.end()) != taken.end()) {
      return nullptr;
    }
  }
  custom_sample_names.insert(names.begin(), names.end());
  return &families
              .emplace(from.name, Family{.help = from.help,
                                         .type = from.type,
                                         .custom = true,
                                         .bounds = from.bounds,
                                         .series = {}})
              .first->second;
}

Exposition::Exposition() : state_(std::make_unique<State>()) {}

Exposition::~Exposition() = default;

void Exposition::Add(std::string_view name, std::initializer_list<std::string_view> label_values,
                     double value) {
  state_->At(name, label_values, {}).value += value;
}

void Exposition::AddHistogram(std::string_view name,
                              std::initializer_list<std::string_view> label_values,
                              const HistogramSnapshot& histogram) {
  CHECK(histogram.counts.size() == histogram.bounds.size() + 1);
  Series& series = state_->At(name, label_values, histogram.bounds);
  series.value += histogram.sum;
  AddBuckets(histogram.counts, series);
}

void Exposition::AddCustom(const CustomFamily& family) {
  if (!IsValidMetricName(family.name)) return Add(kSkipped, {kBadName}, 1);
  const bool bounds_ascend = std::adjacent_find(family.bounds.begin(), family.bounds.end(),
                                                std::greater_equal<>()) == family.bounds.end();
  Family* into = bounds_ascend ? state_->CustomFamilyFor(family) : nullptr;
  if (into == nullptr) return Add(kSkipped, {kConflict}, 1);
  for (const CustomSeries& series : family.series) {
    const bool buckets_fit = family.type != MetricType::kHistogram ||
                             series.bucket_counts.size() == family.bounds.size() + 1;
    if (buckets_fit && IsValidLabels(series.labels, family.type)) {
      AddCustomSeries(series, *into);
    } else {
      Add(kSkipped, {kBadLabel}, 1);
    }
  }
}

std::string Exposition::Text() {
  std::vector<prometheus::MetricFamily> out;
  out.reserve(state_->families.size());
  for (auto& [name, family] : state_->families) {
    if (!family.series.empty()) out.push_back(ToPrometheus(name, family));
  }
  return TextFormat().Serialize(out);
}

}  // namespace agent
