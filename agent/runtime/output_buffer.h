// Gives an output its disk buffer: the one place where each output of a configuration passes.

#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "agent/config/config.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/memory_budget.h"
#include "outputs/output.h"

namespace agent {

// Where an output stands among the others. What it refers to outlives the output.
struct BufferPlace {
  Loop& loop;
  MemoryBudget& budget;
  const Clock& clock;
  Logger& logger;
  std::string positions_file;    // Buffers are beside it, unless they say where.
  std::size_t output_index = 0;  // What its batches carry.
  std::size_t outputs = 1;       // How many there are: with several, each has a buffer by default.
  std::string kind;              // "loki": who can read what is stored. At most 15 bytes.
};

// The folder of all buffers that say no other place; beside the positions.
std::string BuffersFolder(const std::string& positions_file);

// Says which buffers hold something and belong to none of these outputs.
void WarnOfOrphanBuffers(const std::string& positions_file,
                         const std::vector<std::string>& output_names, Logger& logger);

// The output itself when it needs neither: it has no buffer, and is required.
std::unique_ptr<Output> WrapWithBuffer(std::unique_ptr<Output> output, const BufferConfig& config,
                                       bool required, const BufferPlace& place);

}  // namespace agent
