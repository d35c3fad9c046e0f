// Runs of lines that repeat one another, one for each set of labels: what `dedup` collapses.

#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/clock.h"
#include "base/label_sets.h"
#include "base/memory_budget.h"
#include "base/source_progress.h"
#include "pipeline/block.h"
#include "pipeline/drop_reason.h"
#include "pipeline/slots.h"
#include "pipeline/stage.h"
#include "pipeline/stages/hold_bounds.h"

namespace agent {

// Of a run only the hash of its text is kept, and the last repeat. That one is not settled; the
// others are dropped. Used by one worker's thread.
class LineRuns {
 public:
  enum class CountAs : uint8_t { kMetadata, kSuffix, kNone };
  struct Options {
    int64_t window_ns = 0;  // Of a run, from its first line on.
    CountAs count_as = CountAs::kMetadata;
    std::string name;  // Of the number, as metadata and as extracted value.
    Slot slot = 0;     // The same.
  };

  LineRuns(StageContext& context, Options options);
  LineRuns(const LineRuns&) = delete;
  LineRuns& operator=(const LineRuns&) = delete;
  ~LineRuns();

  void Prepare(const SlotTable& slots) { count_is_read_ = slots.IsRead(options_.slot); }

  // The next line of the block. `text` is what is compared; nullopt: it is like no other.
  void Add(Block& block, EntryIndex entry, std::optional<std::string_view> text);
  // After the last line of a block.
  void EndBlock(Block& block);

  // When EmitDue() has something to do, monotonic.
  [[nodiscard]] std::optional<int64_t> NextDeadline() const;
  // Ends runs that have repeats: those whose window is over, all, or those whose last repeat is
  // from one source.
  void EmitDue(Block& block);
  void EmitAll(Block& block);
  void EmitOf(const SourceProgress& source, Block& block);

  // Forgets everything; the bytes of held repeats stay unsettled.
  void Abandon();

 private:
  static constexpr EntryIndex kNone = ~EntryIndex{0};

  using Hash = std::pair<uint64_t, uint64_t>;
  struct Run {
    LabelSetId labels = kEmptyLabelSet;  // Pinned.
    std::optional<Hash> text;            // Of all its lines; nullopt: it has ended.
    int64_t first_timestamp_ns = 0;
    int64_t deadline_ns = 0;
    uint64_t repeats = 0;
    // The last repeat: in the block, or between blocks.
    EntryIndex last = kNone;
    HeldEntry held;
    bool is_held = false;
    std::size_t memory_bytes = 0;
    uint64_t block = 0;  // Which one it was used in.
  };
  using RunList = std::list<Run>;

  static Hash HashOf(std::string_view text);
  Run* Find(LabelSetId labels);
  Run& Begin(Block& block, LabelSetId labels);
  [[nodiscard]] bool Continues(const Run& run, const Hash& text, int64_t timestamp_ns) const;
  void Withhold(Block& block, Run& run, EntryIndex entry);
  // Ends a run. A repeat from an earlier block comes out before `before`; kNone: at the end.
  void End(Block& block, Run& run, EntryIndex before);
  void Annotate(Block& block, EntryIndex entry, uint64_t repeats) const;
  void Park(Block& block, Run& run);
  void Release(Run& run);
  void GiveUpOldest(Block& block);
  void Account(Run& run);

  LabelSets& label_sets_;
  Clock& clock_;
  MemoryBudget& held_memory_;
  const Options options_;
  const DropReason reason_;
  const std::shared_ptr<HoldBounds> bounds_;  // Shared with the other workers' copies.
  MemoryBudget::Reservation memory_;
  std::size_t memory_bytes_ = 0;
  bool count_is_read_ = true;

  uint64_t block_ = 1;  // The present one's number.
  int64_t now_ns_ = 0;  // Monotonic, as of the present block; 0: not asked yet.
  RunList runs_;        // By their last line: the oldest first, those of the present block last.
  std::unordered_map<LabelSetId, RunList::iterator> by_labels_;
  std::set<std::pair<int64_t, LabelSetId>> due_;  // Deadlines of the runs that hold a repeat.
  Run* last_ = nullptr;                           // The line before was of this one.
};

}  // namespace agent
