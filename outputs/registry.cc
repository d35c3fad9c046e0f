#include "outputs/registry.h"

#include <unistd.h>

#include <utility>

#include "outputs/elasticsearch/elasticsearch_output.h"
#include "outputs/file/file_appender.h"
#include "outputs/file/file_output.h"
#include "outputs/file/stream_appender.h"
#include "outputs/json_lines/json_lines_output.h"
#include "outputs/logstash/lumberjack_output.h"
#include "outputs/loki/loki_output.h"

namespace agent {

// NOLINTNEXTLINE(readability-function-size): one reference for each thing that it stands on.
std::unique_ptr<Output> MakeLokiOutput(LokiOptions options, Loop& loop, MemoryBudget& budget,
                                       Clock& clock, Random random, Logger& logger,
                                       DeadLetter& dead_letter, std::size_t output_index) {
  const LokiOutput::Dependencies dependencies{
      .loop = loop, .budget = budget, .clock = clock, .logger = logger, .dead_letter = dead_letter};
  return std::make_unique<LokiOutput>(std::move(options), dependencies, random, output_index);
}

// NOLINTNEXTLINE(readability-function-size): one reference for each thing that it stands on.
std::unique_ptr<Output> MakeElasticsearchOutput(ElasticsearchOptions options, Loop& loop,
                                                MemoryBudget& budget, Clock& clock, Random random,
                                                Logger& logger, DeadLetter& dead_letter,
                                                std::size_t output_index) {
  const ElasticsearchOutput::Dependencies dependencies{
      .loop = loop, .budget = budget, .clock = clock, .logger = logger, .dead_letter = dead_letter};
  return std::make_unique<ElasticsearchOutput>(std::move(options), dependencies, random,
                                               output_index);
}

// NOLINTNEXTLINE(readability-function-size): one reference for each thing that it stands on.
std::unique_ptr<Output> MakeLumberjackOutput(LumberjackOptions options, Loop& loop,
                                             MemoryBudget& budget, Clock& clock, Random random,
                                             Logger& logger, DeadLetter& dead_letter,
                                             std::size_t output_index) {
  const LumberjackOutput::Dependencies dependencies{
      .loop = loop, .budget = budget, .clock = clock, .logger = logger, .dead_letter = dead_letter};
  return std::make_unique<LumberjackOutput>(std::move(options), dependencies, random, output_index);
}

// NOLINTNEXTLINE(readability-function-size): one reference for each thing that it stands on.
std::unique_ptr<Output> MakeJsonLinesOutput(JsonLinesOptions options, Loop& loop,
                                            MemoryBudget& budget, Clock& clock, Random random,
                                            Logger& logger, DeadLetter& dead_letter,
                                            std::size_t output_index) {
  const JsonLinesOutput::Dependencies dependencies{
      .loop = loop, .budget = budget, .clock = clock, .logger = logger, .dead_letter = dead_letter};
  return std::make_unique<JsonLinesOutput>(std::move(options), dependencies, random, output_index);
}

std::unique_ptr<Output> MakeFileOutput(FileOptions options, Loop& loop, MemoryBudget& budget,
                                       Clock& clock, Random random, Logger& logger,
                                       std::size_t output_index) {
  const FileOutput::Dependencies dependencies{
      .loop = loop, .budget = budget, .clock = clock, .logger = logger};
  return std::make_unique<FileOutput>(
      std::move(options), "file",
      [&clock, &logger](const FileOptions& of) {
        return std::make_unique<file::FileAppender>(of, clock, logger);
      },
      dependencies, random, output_index);
}

std::unique_ptr<Output> MakeStdoutOutput(FileOptions options, Loop& loop, MemoryBudget& budget,
                                         Clock& clock, Random random, Logger& logger,
                                         std::size_t output_index) {
  const FileOutput::Dependencies dependencies{
      .loop = loop, .budget = budget, .clock = clock, .logger = logger};
  return std::make_unique<FileOutput>(
      std::move(options), "stdout",
      [](const FileOptions&) { return std::make_unique<file::StreamAppender>(STDOUT_FILENO); },
      dependencies, random, output_index);
}

}  // namespace agent
