// Somebody who watches what stages do to the entries of a block: --inspect. In a normal run nobody
// does, and then it costs one branch per stage and block.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "pipeline/block.h"
#include "pipeline/drop_reason.h"

namespace agent {

// Why a block runs through stages.
enum class BlockCause : uint8_t {
  kLines,        // Lines were read.
  kDeadline,     // Time is up for something that a stage has kept back.
  kEndOfInput,   // The input has ended.
  kEndOfSource,  // A file has ended.
};

// Where a stage stands. Stages are counted from 0 everywhere.
struct StagePlace {
  std::string name;   // "json"
  std::string index;  // "3.match > 1.json": second stage in the fourth one.
  std::string path;   // "scrape_configs[0].pipeline_stages[3].match.stages[1].json"
};

// The pipeline that a block runs through.
struct ObservedPipeline {
  const std::string& job;
  const DropReasons& drop_reasons;
};

// The calls of one block come in this order, on one worker's thread. Those of a stage nest: a stage
// with stages inside (match) is begun before and ended after them.
class StageObserver {
 public:
  virtual ~StageObserver() = default;

  // The lines of the next block (kLines) are from here: whole lines, the first one at `offset`.
  virtual void BeginSource(std::string_view source, std::string_view lines, uint64_t offset) = 0;
  // A block is about to run: filled with lines, or empty, for a stage to put entries into it.
  virtual void BeginBlock(const ObservedPipeline& pipeline, BlockCause cause, Block& block) = 0;
  virtual void BeginStage(const StagePlace& stage, Block& block) = 0;
  // The stage that was begun last cannot handle that entry; `message`, a constant, says why.
  virtual void OnFailure(EntryIndex entry, std::string_view message) = 0;
  // What the stage dropped, kept or put in is no longer, or now, in block.live().
  virtual void EndStage(const StagePlace& stage, Block& block) = 0;
  // The first `passed` of the live entries go to the outputs; the others are over the rate limit.
  // Limits on labels have been applied.
  virtual void EndBlock(Block& block, std::size_t passed) = 0;
};

// Tells the observer, if there is one, that a stage runs while this lives.
class StageScope {
 public:
  // All of it outlives this.
  StageScope(StageObserver* observer, const StagePlace& stage, Block& block)
      : observer_(observer), stage_(stage), block_(block) {
    if (observer_ != nullptr) observer_->BeginStage(stage_, block_);
  }
  StageScope(const StageScope&) = delete;
  StageScope& operator=(const StageScope&) = delete;
  ~StageScope() {
    if (observer_ != nullptr) observer_->EndStage(stage_, block_);
  }

 private:
  StageObserver* const observer_;
  const StagePlace& stage_;
  Block& block_;
};

}  // namespace agent
