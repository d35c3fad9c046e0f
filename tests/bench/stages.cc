// Measures stages alone, without reading, encoding and sending: one thread, a file in memory.
//
//   bench_stages STAGES FILE [PASSES]
//
// STAGES is YAML, a list as under `pipeline_stages`. The best of PASSES (default 5) over the file
// counts, in CPU time: MB per second, and nanoseconds a line.

#include <time.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/config/problems.h"
#include "base/config/yaml.h"
#include "base/label_sets.h"
#include "base/log.h"
#include "pipeline/pipeline.h"

namespace {

constexpr std::size_t kBlockBytes = 128 << 10;

double CpuSeconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// One pass over all lines, in blocks as a worker makes them; returns how many lines there were.
uint64_t RunOnce(agent::Pipeline& pipeline, std::string_view text) {
  uint64_t lines = 0;
  while (!text.empty()) {
    agent::Block& block = pipeline.block();
    block.Reset(agent::kEmptyLabelSet, nullptr);
    std::size_t bytes = 0;
    while (!text.empty() && bytes < kBlockBytes) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      block.Add(text.substr(0, end), 0, 0, static_cast<uint32_t>(end + 1));
      text.remove_prefix(std::min(end + 1, text.size()));
      bytes += end + 1;
      ++lines;
    }
    pipeline.Run();
    block.Release();
  }
  return lines;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "usage: bench_stages STAGES FILE [PASSES]\n";
    return 2;
  }
  std::ifstream file(argv[2], std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  const std::size_t size = text.size();
  text.append(agent::kTextPadding, '\0');

  agent::LabelSets sets;
  agent::SystemClock clock;
  agent::Logger logger(2, agent::LogLevel::kWarn, agent::LogFormat::kLogfmt);
  agent::CustomMetrics metrics;
  agent::Problems problems("stages", argv[1]);
  const agent::ConfigNode stages = agent::LoadYaml(argv[1], problems);
  const auto pipeline =
      agent::Pipeline::Build(stages, "stages", "bench", problems, {sets, clock, logger, metrics});
  if (pipeline == nullptr || size == 0) {
    std::cerr << problems.Format(/*color=*/false);
    return 1;
  }
  double best = 1e9;
  uint64_t lines = 0;
  const int passes = argc > 3 ? std::atoi(argv[3]) : 5;
  for (int pass = 0; pass < passes; ++pass) {
    const double begin = CpuSeconds();
    lines = RunOnce(*pipeline, std::string_view(text).substr(0, size));
    best = std::min(best, CpuSeconds() - begin);
  }
  std::cout << static_cast<double>(size) / best / 1e6 << " MB/s, "
            << best * 1e9 / static_cast<double>(lines) << " ns a line\n";
  for (const auto& row : pipeline->counters().rows()) {
    if (row->count.value() == 0) continue;
    std::cout << "  " << row->index << "." << row->stage << ": " << row->metric << " " << row->what
              << " " << row->count.value() << "\n";
  }
  return 0;
}
