#include "pipeline/stages/line_runs.h"

#include <xxhash.h>

#include <algorithm>
#include <iterator>

namespace agent {
namespace {

// A run beside its held line: the nodes of the list, the index and the deadlines.
constexpr std::size_t kRunBytes = 448;
// Far from the end of the clock's numbers.
constexpr int64_t kLongestWindowNs = int64_t{1} << 60;

}  // namespace

LineRuns::LineRuns(StageContext& context, Options options)
    : label_sets_(context.label_sets),
      clock_(context.clock),
      held_memory_(context.held_memory),
      options_(std::move(options)),
      reason_(context.drop_reasons.Intern("dedup_stage")),
      bounds_(HoldBounds::Of(context)),
      memory_(context.held_memory.Reserve(0)) {}

LineRuns::~LineRuns() {
  Abandon();
}

LineRuns::Hash LineRuns::HashOf(std::string_view text) {
  const XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
  return {hash.low64, hash.high64};
}

LineRuns::Run* LineRuns::Find(LabelSetId labels) {
  if (last_ != nullptr && last_->labels == labels) return last_;
  const auto found = by_labels_.find(labels);
  if (found == by_labels_.end()) return nullptr;
  Run& run = *found->second;
  if (run.block != block_) {
    run.block = block_;
    runs_.splice(runs_.end(), runs_, found->second);
  }
  last_ = &run;
  return &run;
}

LineRuns::Run& LineRuns::Begin(Block& block, LabelSetId labels) {
  if (by_labels_.size() >= HoldBounds::kMaxLabelSets) {
    bounds_->Hit(HoldBound::kLabelSets);
    GiveUpOldest(block);
  }
  const auto run = runs_.emplace(runs_.end());
  run->labels = labels;
  run->block = block_;
  label_sets_.Pin(labels);
  by_labels_.emplace(labels, run);
  last_ = &*run;
  return *run;
}

bool LineRuns::Continues(const Run& run, const Hash& text, int64_t timestamp_ns) const {
  if (run.text != text || now_ns_ >= run.deadline_ns) return false;
  // Lines of an hour that are read in a second are still lines of an hour.
  const auto [first, second] = std::minmax(timestamp_ns, run.first_timestamp_ns);
  return static_cast<uint64_t>(second) - static_cast<uint64_t>(first) <
         static_cast<uint64_t>(options_.window_ns);
}

void LineRuns::Add(Block& block, EntryIndex entry, std::optional<std::string_view> text) {
  if (now_ns_ == 0) now_ns_ = clock_.MonotonicNanos();
  Run* run = Find(block.LabelsOf(entry));
  if (!text) {
    if (run != nullptr) End(block, *run, entry);
    return;
  }
  const Hash hash = HashOf(*text);
  const int64_t timestamp = block.Timestamp(entry);
  if (run == nullptr) {
    run = &Begin(block, block.LabelsOf(entry));
  } else if (Continues(*run, hash, timestamp)) {
    Withhold(block, *run, entry);
    return;
  } else {
    End(block, *run, entry);
  }
  run->text = hash;
  run->first_timestamp_ns = timestamp;
  run->deadline_ns = now_ns_ + std::min(options_.window_ns, kLongestWindowNs);
}

void LineRuns::Withhold(Block& block, Run& run, EntryIndex entry) {
  if (run.last != kNone) {
    block.Drop(run.last, reason_);
  } else if (run.is_held) {
    Release(run);
    block.DropHeld(std::exchange(run.held, HeldEntry()), reason_);
  }
  run.last = entry;
  ++run.repeats;
}

void LineRuns::End(Block& block, Run& run, EntryIndex before) {
  EntryIndex last = std::exchange(run.last, kNone);
  if (run.is_held) {
    Release(run);
    HeldEntry held = std::exchange(run.held, HeldEntry());
    last = before == kNone ? block.InsertAtEnd(std::move(held))
                           : block.InsertBefore(before, std::move(held));
  }
  if (last != kNone) Annotate(block, last, run.repeats);
  run.repeats = 0;
  run.text.reset();
}

void LineRuns::Annotate(Block& block, EntryIndex entry, uint64_t repeats) const {
  const std::string number = std::to_string(repeats);
  if (count_is_read_) {
    block.SetExtracted(entry, options_.slot, Value::Number(static_cast<double>(repeats)));
  }
  switch (options_.count_as) {
    case CountAs::kMetadata:
      block.AddMetadata(entry, block.arena().Copy(options_.name), block.arena().Copy(number));
      break;
    case CountAs::kSuffix: {
      const std::string_view times = repeats == 1 ? " time]" : " times]";
      std::string line(block.Line(entry));
      line.append(" [repeated ").append(number).append(times);
      block.SetLine(entry, block.arena().Copy(line));
      break;
    }
    case CountAs::kNone:
      break;
  }
}

void LineRuns::EndBlock(Block& block) {
  // Those of this block stand at the end.
  for (auto run = runs_.rbegin(); run != runs_.rend() && run->block == block_; ++run)
    Park(block, *run);
  ++block_;
  now_ns_ = 0;
  last_ = nullptr;
  memory_.Resize(memory_bytes_);
  while (!runs_.empty() && held_memory_.full()) {
    bounds_->Hit(HoldBound::kMemory);
    GiveUpOldest(block);
    memory_.Resize(memory_bytes_);
  }
}

void LineRuns::Park(Block& block, Run& run) {
  if (run.last != kNone) {
    run.held = block.Detach(std::exchange(run.last, kNone));
    run.is_held = true;
    due_.emplace(run.deadline_ns, run.labels);
  }
  Account(run);
}

// Its repeat is held no longer.
void LineRuns::Release(Run& run) {
  run.is_held = false;
  due_.erase({run.deadline_ns, run.labels});
}

void LineRuns::Account(Run& run) {
  const std::size_t bytes = kRunBytes + run.held.memory_bytes();
  memory_bytes_ += bytes - run.memory_bytes;
  run.memory_bytes = bytes;
}

void LineRuns::GiveUpOldest(Block& block) {
  Run& run = runs_.front();
  End(block, run, kNone);
  memory_bytes_ -= run.memory_bytes;
  label_sets_.Unpin(run.labels);
  by_labels_.erase(run.labels);
  last_ = nullptr;
  runs_.pop_front();
}

std::optional<int64_t> LineRuns::NextDeadline() const {
  if (due_.empty()) return std::nullopt;
  return due_.begin()->first;
}

void LineRuns::EmitDue(Block& block) {
  const int64_t now = clock_.MonotonicNanos();
  while (!due_.empty() && due_.begin()->first <= now) {
    Run& run = *by_labels_.find(due_.begin()->second)->second;
    End(block, run, kNone);
    Account(run);
  }
  memory_.Resize(memory_bytes_);
}

void LineRuns::EmitAll(Block& block) {
  for (Run& run : runs_) {
    if (!run.is_held) continue;
    End(block, run, kNone);
    Account(run);
  }
  memory_.Resize(memory_bytes_);
}

void LineRuns::EmitOf(const SourceProgress& source, Block& block) {
  for (Run& run : runs_) {
    const auto& holds = run.held.holds;
    if (!run.is_held || holds.empty() || &holds.back()->progress() != &source) continue;
    End(block, run, kNone);
    Account(run);
  }
  memory_.Resize(memory_bytes_);
}

void LineRuns::Abandon() {
  for (Run& run : runs_) {
    if (run.is_held) {
      for (const auto& held : run.held.holds)
        held->Abandon();
      label_sets_.Unpin(run.held.labels);
    }
    label_sets_.Unpin(run.labels);
  }
  runs_.clear();
  by_labels_.clear();
  due_.clear();
  last_ = nullptr;
  memory_bytes_ = 0;
  memory_.Resize(0);
}

}  // namespace agent
