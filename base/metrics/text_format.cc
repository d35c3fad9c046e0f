#include "base/metrics/text_format.h"

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>

#include "base/go_format.h"

namespace agent {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

std::string_view TypeName(MetricType type) {
  switch (type) {
    case MetricType::Counter:
      return "counter";
    case MetricType::Gauge:
      return "gauge";
    case MetricType::Histogram:
      return "histogram";
    default:
      return "untyped";
  }
}

void AppendLabel(std::string_view name, std::string_view value, std::string& out) {
  if (out.back() != '{') out += ',';
  out.append(name).append("=\"");
  for (const char c : value) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '\\' || c == '"') out += '\\';
    out += c;
  }
  out += '"';
}

// `bound`: the upper bound of a bucket; empty for other samples.
void AppendSample(std::string_view name, const std::vector<ClientMetric::Label>& labels,
                  std::string_view bound, double value, std::string& out) {
  out.append(name);
  if (!labels.empty() || !bound.empty()) {
    out += '{';
    for (const ClientMetric::Label& label : labels)
      AppendLabel(label.name, label.value, out);
    if (!bound.empty()) AppendLabel("le", bound, out);
    out += '}';
  }
  out += ' ';
  AppendGoShortest(value, out);
  out += '\n';
}

void AppendHistogram(const std::string& name, const ClientMetric& metric, std::string& out) {
  for (const ClientMetric::Bucket& bucket : metric.histogram.bucket) {
    std::string bound;
    AppendGoShortest(bucket.upper_bound, bound);
    AppendSample(name + "_bucket", metric.label, bound,
                 static_cast<double>(bucket.cumulative_count), out);
  }
  AppendSample(name + "_sum", metric.label, "", metric.histogram.sample_sum, out);
  AppendSample(name + "_count", metric.label, "",
               static_cast<double>(metric.histogram.sample_count), out);
}

void AppendFamily(const MetricFamily& family, std::string& out) {
  if (!family.help.empty()) {
    out.append("# HELP ").append(family.name).append(" ").append(family.help).append("\n");
  }
  out.append("# TYPE ").append(family.name).append(" ").append(TypeName(family.type)).append("\n");
  for (const ClientMetric& metric : family.metric) {
    if (family.type == MetricType::Histogram) {
      AppendHistogram(family.name, metric, out);
    } else {
      const bool is_counter = family.type == MetricType::Counter;
      AppendSample(family.name, metric.label, "",
                   is_counter ? metric.counter.value : metric.gauge.value, out);
    }
  }
}

}  // namespace

void TextFormat::Serialize(std::ostream& out, const std::vector<MetricFamily>& families) const {
  std::string text;
  for (const MetricFamily& family : families)
    AppendFamily(family, text);
  out << text;
}

}  // namespace agent
