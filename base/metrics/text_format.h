// Prometheus' text format with numbers as Go writes them. prometheus-cpp writes the bound 1000000
// where Promtail writes 1e+06, and that is another series; it also cuts the last digit of a number.

#pragma once

#include <iosfwd>
#include <vector>

#include <prometheus/metric_family.h>
#include <prometheus/serializer.h>

namespace agent {

// Any thread.
class TextFormat final : public prometheus::Serializer {
 public:
  using Serializer::Serialize;
  // Help texts are escaped already.
  void Serialize(std::ostream& out,
                 const std::vector<prometheus::MetricFamily>& families) const override;
};

}  // namespace agent
