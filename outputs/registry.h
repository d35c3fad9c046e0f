// The outputs there are.

#pragma once

#include <cstddef>
#include <memory>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/memory_budget.h"
#include "base/random.h"
#include "outputs/dead_letter.h"
#include "outputs/elasticsearch/elasticsearch_options.h"
#include "outputs/file/file_options.h"
#include "outputs/json_lines/json_lines_options.h"
#include "outputs/logstash/lumberjack_options.h"
#include "outputs/loki/loki_options.h"
#include "outputs/output.h"

namespace agent {

// One of Promtail's `clients`. `output_index` is what its batches carry, and what SourceProgress
// knows it by. What is passed by reference outlives the output. Loop thread.
std::unique_ptr<Output> MakeLokiOutput(LokiOptions options, Loop& loop, MemoryBudget& budget,
                                       Clock& clock, Random random, Logger& logger,
                                       DeadLetter& dead_letter, std::size_t output_index);

std::unique_ptr<Output> MakeElasticsearchOutput(ElasticsearchOptions options, Loop& loop,
                                                MemoryBudget& budget, Clock& clock, Random random,
                                                Logger& logger, DeadLetter& dead_letter,
                                                std::size_t output_index);

std::unique_ptr<Output> MakeLumberjackOutput(LumberjackOptions options, Loop& loop,
                                             MemoryBudget& budget, Clock& clock, Random random,
                                             Logger& logger, DeadLetter& dead_letter,
                                             std::size_t output_index);

std::unique_ptr<Output> MakeJsonLinesOutput(JsonLinesOptions options, Loop& loop,
                                            MemoryBudget& budget, Clock& clock, Random random,
                                            Logger& logger, DeadLetter& dead_letter,
                                            std::size_t output_index);

std::unique_ptr<Output> MakeFileOutput(FileOptions options, Loop& loop, MemoryBudget& budget,
                                       Clock& clock, Random random, Logger& logger,
                                       std::size_t output_index);

// To this process's standard output.
std::unique_ptr<Output> MakeStdoutOutput(FileOptions options, Loop& loop, MemoryBudget& budget,
                                         Clock& clock, Random random, Logger& logger,
                                         std::size_t output_index);

}  // namespace agent
