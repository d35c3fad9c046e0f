// Follows every entry through the stages and tells its story: --inspect. The stages run over a
// whole block one after the other; here the block's entries are told one after the other.

#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/modes/inspect/entry_trace.h"
#include "base/source_progress.h"
#include "pipeline/block.h"
#include "pipeline/stage_observer.h"

namespace agent {

// Makes the text of a story.
using TraceFormat = std::function<std::string(const EntryTrace& trace)>;

// Used by one worker's thread.
class Inspector final : public StageObserver {
 public:
  // `write`, where given, gets every story as soon as it is known. Otherwise they wait for
  // TakeNext() and TakeOthers().
  explicit Inspector(TraceFormat format, std::function<void(const std::string&)> write = nullptr)
      : format_(std::move(format)), write_(std::move(write)) {}

  void BeginSource(std::string_view source, std::string_view lines, uint64_t offset) override;
  void BeginBlock(const ObservedPipeline& pipeline, BlockCause cause, Block& block) override;
  void BeginStage(const StagePlace& stage, Block& block) override;
  void OnFailure(EntryIndex entry, std::string_view message) override;
  void EndStage(const StagePlace& stage, Block& block) override;
  void EndBlock(Block& block, std::size_t passed) override;

  // The stories that have not been taken, up to and with that of the next entry that goes to the
  // outputs: what is to be shown before this entry.
  std::string TakeNext();
  // The stories before the next such entry, or all when there is none.
  std::string TakeOthers();

 private:
  // A line that a stage keeps back, by its source and offset.
  using HeldKey = std::pair<const SourceProgress*, uint64_t>;
  struct Held {
    std::vector<LineOrigin> origins;  // And what has become a part of it before.
    uint64_t block = 0;               // In which it was, and as which entry.
    EntryIndex entry = 0;
  };
  // An entry of the present block.
  struct Followed {
    EntryTrace trace;
    EntryState state;            // As it was seen last.
    std::vector<HeldKey> holds;  // The lines kept back that are part of it.
    int64_t after = -1;          // It is told after this line of the block.
    bool live = true;
  };
  // The lines that were read last.
  struct SourceLines {
    std::string name;
    std::string_view lines;
    uint64_t offset = 0;
    bool counted = false;  // Read from its beginning without a gap.
    // How many lines stand before an offset.
    uint64_t counted_to = 0;
    uint64_t lines_before = 0;
  };
  struct Counted {
    uint64_t end = 0;
    uint64_t lines = 0;
  };
  struct Story {
    std::string text;
    bool is_sent = false;
  };

  LineOrigin OriginOfLine(uint64_t offset);
  // Begins to follow what is in the block and was not there before; null: lines that were read.
  void FollowNew(Block& block, const StagePlace* emerged_from);
  void FollowEmerged(Block& block, EntryIndex entry, const StagePlace& stage, Followed& followed);
  // Books what has changed since the last look under this stage.
  void Look(Block& block, const StagePlace& stage);
  void LookAt(Block& block, EntryIndex entry, const StagePlace& stage);
  void JoinTo(EntryIndex into, const StagePlace& stage, Followed& followed);
  void RememberHeld(Block& block, EntryIndex entry, Followed& followed);
  static TraceStep& StepOf(EntryTrace& trace, const StagePlace& stage);
  [[nodiscard]] std::vector<EntryIndex> InOrder(const Block& block) const;

  const TraceFormat format_;
  const std::function<void(const std::string&)> write_;
  SourceLines source_;
  std::map<std::string, Counted, std::less<>> counted_;  // By source.
  std::map<HeldKey, Held> held_;

  const std::string* job_ = nullptr;  // Of the present pipeline, as are its reasons.
  const DropReasons* reasons_ = nullptr;
  BlockCause cause_ = BlockCause::kLines;
  uint64_t block_number_ = 0;
  std::vector<Followed> entries_;  // By EntryIndex.
  std::vector<const StagePlace*> running_;
  uint64_t next_number_ = 1;
  std::deque<Story> stories_;
};

}  // namespace agent
