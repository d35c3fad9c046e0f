#include "base/metrics/process_metrics.h"

#include <ctime>
#include <map>
#include <string>

#include <catch2/catch.hpp>

namespace agent {
namespace {

class Numbers final : public MetricSink {
 public:
  void Add(std::string_view name, std::initializer_list<std::string_view> /*label_values*/,
           double value) override {
    values[std::string(name)] += value;
  }
  void AddHistogram(std::string_view /*name*/,
                    std::initializer_list<std::string_view> /*label_values*/,
                    const HistogramSnapshot& /*histogram*/) override {}

  std::map<std::string, double> values;
};

TEST_CASE("process metrics: plausible numbers for this process", "[metrics]") {
  Numbers numbers;

  CollectProcessMetrics(numbers);

  auto& values = numbers.values;
  REQUIRE(values.size() == 7);
  CHECK(values["process_open_fds"] >= 3);
  CHECK(values["process_open_fds"] < values["process_max_fds"]);
  CHECK(values["process_resident_memory_bytes"] > 1e5);
  CHECK(values["process_virtual_memory_bytes"] > values["process_resident_memory_bytes"]);
  CHECK(values["process_cpu_seconds_total"] >= 0);
  const auto now = static_cast<double>(std::time(nullptr));
  CHECK(values["process_start_time_seconds"] > now - 3600);
  CHECK(values["process_start_time_seconds"] < now + 2);
}

}  // namespace
}  // namespace agent
