// What redacting costs, in MB of lines per CPU second: the redact stage, and the replace stage with
// regular expressions for the same values, over lines without any value and with one in ten.
//
//   bench_redact [seconds per measurement]

#include <time.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/config/yaml.h"
#include "base/log.h"
#include "pipeline/pipeline.h"

namespace agent {
namespace {

double CpuSeconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

// About 200 bytes each. Every `value_every`th line has a value; 0: none.
std::vector<std::string> Lines(int value_every) {
  const std::vector<std::string> values = {
      "ann.smith@example.com", "4111 1111 1111 1111", "AKIAIOSFODNN7EXAMPLE",
      "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiJ9.dBjftJeZ4CVPmB92K27uhbUJU1p1rwW1gFWFOEjXk",
      "DE89370400440532013000"};
  std::vector<std::string> lines;
  for (int i = 0; i < 1000; ++i) {
    std::string line = "2023-05-06T07:08:09.123456Z level=info component=orders.checkout msg=\"";
    line += value_every > 0 && i % value_every == 0
                ? "customer " + values[static_cast<std::size_t>(i / value_every) % values.size()]
                : "order " + std::to_string(100000 + i * 7) + " shipped";
    line += "\" trace_id=4bf92f3577b34da6a3ce929d0e0e" + std::to_string(1000 + i);
    line += " took=0.0" + std::to_string(i) + "s path=/api/v1/orders/items region=eu-west-1";
    line += " pod=checkout-7d9f8b6c5d-x2x" + std::to_string(i % 10);
    lines.push_back(line + std::string(kTextPadding, ' '));
  }
  return lines;
}

struct Speed {
  double megabytes_per_second = 0;
  double nanoseconds_per_line = 0;
};

Speed Measure(const std::string& stages, const std::vector<std::string>& lines, double seconds) {
  LabelSets sets;
  SystemClock clock;
  Logger logger(2, LogLevel::kError, LogFormat::kLogfmt);
  CustomMetrics metrics;
  Problems problems("bench", stages);
  const ConfigNode tree = LoadYaml(stages, problems);
  const auto pipeline =
      Pipeline::Build(tree, "stages", "bench", problems, {sets, clock, logger, metrics});
  CHECK(pipeline != nullptr);
  Block& block = pipeline->block();
  uint64_t bytes = 0;
  uint64_t count = 0;
  const double begin = CpuSeconds();
  double end = begin;
  while (end - begin < seconds) {
    block.Reset(kEmptyLabelSet, nullptr);
    for (const std::string& line : lines) {
      const std::string_view text = std::string_view(line).substr(0, line.size() - kTextPadding);
      block.Add(text, 0, 0, 0);
      bytes += text.size();
    }
    pipeline->Run();
    count += lines.size();
    end = CpuSeconds();
  }
  return {static_cast<double>(bytes) / (end - begin) / 1e6,
          (end - begin) * 1e9 / static_cast<double>(count)};
}

const char* const kReplace = R"(
- replace: {expression: '([a-zA-Z0-9._%+-]+@[a-zA-Z0-9.-]+\.[a-zA-Z]{2,})', replace: '<EMAIL>'}
- replace: {expression: '\b((?:\d[ -]?){13,18}\d)\b', replace: '<CARD>'}
- replace: {expression: '\b([A-Z]{2}\d{2}[A-Z0-9]{11,30})\b', replace: '<IBAN>'}
- replace: {expression: '(eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)', replace: '<JWT>'}
- replace: {expression: '(?i)bearer\s+([A-Za-z0-9._~+/-]+=*)', replace: '<BEARER>'}
- replace: {expression: '\b((?:AKIA|ASIA)[A-Z0-9]{16})\b', replace: '<AWS>'}
- replace: {expression: '(AIza[A-Za-z0-9_-]{35})', replace: '<GCP>'}
- replace: {expression: '(gh[pousr]_[A-Za-z0-9]{36})', replace: '<GITHUB>'}
- replace: {expression: '(xox[abprs]-[A-Za-z0-9-]{24,})', replace: '<SLACK>'}
)";

}  // namespace
}  // namespace agent

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::strtod(argv[1], nullptr) : 1.0;
  struct Row {
    const char* name;
    const char* stages;
  };
  const std::vector<Row> rows = {
      {"no stage", "[]"},
      {"redact: {}", "- redact: {}"},
      {"redact: {detectors: [all]}", "- redact: {detectors: [all]}"},
      {"redact: {detectors: [email]}", "- redact: {detectors: [email]}"},
      {"redact: {mode: hash}", "- redact: {mode: hash, key: 0123456789abcdef0123}"},
      {"replace, 9 expressions", agent::kReplace},
  };
  std::printf("%-32s %20s %20s\n", "", "lines without values", "one line in ten");
  for (const Row& row : rows) {
    const agent::Speed clean = agent::Measure(row.stages, agent::Lines(0), seconds);
    const agent::Speed dirty = agent::Measure(row.stages, agent::Lines(10), seconds);
    std::printf("%-32s %6.0f MB/s %6.0f ns %6.0f MB/s %6.0f ns\n", row.name,
                clean.megabytes_per_second, clean.nanoseconds_per_line, dirty.megabytes_per_second,
                dirty.nanoseconds_per_line);
  }
  return 0;
}
