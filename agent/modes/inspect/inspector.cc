#include "agent/modes/inspect/inspector.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "agent/modes/inspect/entry_diff.h"

namespace agent {

void Inspector::BeginSource(std::string_view source, std::string_view lines, uint64_t offset) {
  const auto found = counted_.find(source);
  const bool goes_on = found != counted_.end() && found->second.end == offset;
  source_.name = source;
  source_.lines = lines;
  source_.offset = offset;
  source_.counted = offset == 0 || goes_on;
  source_.counted_to = offset;
  source_.lines_before = goes_on && offset > 0 ? found->second.lines : 0;
  if (!source_.counted) return;
  const auto newlines = std::count(lines.begin(), lines.end(), '\n');
  counted_[source_.name] = {offset + lines.size(),
                            source_.lines_before + static_cast<uint64_t>(newlines)};
}

LineOrigin Inspector::OriginOfLine(uint64_t offset) {
  LineOrigin origin{source_.name, std::nullopt, offset};
  if (!source_.counted) return origin;
  const std::string_view passed =
      source_.lines.substr(source_.counted_to - source_.offset, offset - source_.counted_to);
  source_.lines_before += static_cast<uint64_t>(std::count(passed.begin(), passed.end(), '\n'));
  source_.counted_to = offset;
  origin.line = source_.lines_before + 1;
  return origin;
}

void Inspector::BeginBlock(const ObservedPipeline& pipeline, BlockCause cause, Block& block) {
  job_ = &pipeline.job;
  reasons_ = &pipeline.drop_reasons;
  cause_ = cause;
  ++block_number_;
  entries_.clear();
  running_.clear();
  FollowNew(block, nullptr);
}

void Inspector::FollowNew(Block& block, const StagePlace* emerged_from) {
  for (auto entry = static_cast<EntryIndex>(entries_.size()); entry < block.size(); ++entry) {
    Followed& followed = entries_.emplace_back();
    followed.trace.job = *job_;
    followed.trace.cause = cause_;
    followed.state = StateOf(block, entry);
    followed.trace.first = followed.state;
    if (emerged_from == nullptr) {
      followed.trace.origins.push_back(OriginOfLine(block.View(entry).offset));
      followed.after = entry;
    } else {
      FollowEmerged(block, entry, *emerged_from, followed);
    }
  }
}

void Inspector::FollowEmerged(Block& block, EntryIndex entry, const StagePlace& stage,
                              Followed& followed) {
  TraceStep step;
  step.stage = &stage;
  step.outcome = TraceStep::Outcome::kEmerged;
  followed.trace.steps.push_back(std::move(step));
  for (const auto& line : block.View(entry).holds) {
    const HeldKey key{&line->progress(), line->offset()};
    followed.holds.push_back(key);
    const auto held = held_.find(key);
    if (held == held_.end()) continue;
    const std::vector<LineOrigin>& lines = held->second.origins;
    followed.trace.origins.insert(followed.trace.origins.end(), lines.begin(), lines.end());
    if (held->second.block == block_number_) {
      followed.after = std::max<int64_t>(followed.after, held->second.entry);
    }
  }
}

void Inspector::BeginStage(const StagePlace& stage, Block& block) {
  // What an outer stage has done before it runs this one: match makes labels extracted values.
  if (!running_.empty()) Look(block, *running_.back());
  running_.push_back(&stage);
  for (const EntryIndex entry : block.live()) {
    TraceStep step;
    step.stage = &stage;
    entries_[entry].trace.steps.push_back(std::move(step));
  }
}

void Inspector::OnFailure(EntryIndex entry, std::string_view message) {
  std::vector<std::string_view>& failures =
      StepOf(entries_[entry].trace, *running_.back()).failures;
  if (std::find(failures.begin(), failures.end(), message) == failures.end())
    failures.push_back(message);
}

void Inspector::EndStage(const StagePlace& stage, Block& block) {
  Look(block, stage);
  running_.pop_back();
}

void Inspector::Look(Block& block, const StagePlace& stage) {
  // Lines that have become part of another first: that one may be kept back with them.
  for (EntryIndex entry = 0; entry < entries_.size(); ++entry) {
    if (entries_[entry].live && block.AbsorbedInto(entry)) LookAt(block, entry, stage);
  }
  for (EntryIndex entry = 0; entry < entries_.size(); ++entry) {
    if (entries_[entry].live) LookAt(block, entry, stage);
  }
  FollowNew(block, &stage);
}

void Inspector::LookAt(Block& block, EntryIndex entry, const StagePlace& stage) {
  Followed& followed = entries_[entry];
  EntryState now = StateOf(block, entry);
  // A stage that keeps an entry back may have taken its line with it.
  if (block.IsDetached(entry) && now.line.empty()) now.line = followed.state.line;
  std::vector<Change> changes = Difference(followed.state, now);
  if (!changes.empty()) {
    std::vector<Change>& booked = StepOf(followed.trace, stage).changes;
    booked.insert(booked.end(), changes.begin(), changes.end());
  }
  const auto holds = block.View(entry).holds;
  for (std::size_t i = followed.holds.size(); i < holds.size(); ++i) {
    followed.holds.emplace_back(&holds[i]->progress(), holds[i]->offset());
    const auto held = held_.find(followed.holds.back());
    if (held == held_.end()) continue;
    std::vector<LineOrigin>& joined = StepOf(followed.trace, stage).joined;
    joined.insert(joined.end(), held->second.origins.begin(), held->second.origins.end());
  }
  followed.state = std::move(now);

  if (const std::optional<DropReason> reason = block.DroppedFor(entry)) {
    TraceStep& step = StepOf(followed.trace, stage);
    step.outcome = TraceStep::Outcome::kDropped;
    step.reason = reasons_->all()[*reason].name;
    followed.trace.end = EntryTrace::End::kDropped;
    followed.live = false;
  } else if (const std::optional<EntryIndex> into = block.AbsorbedInto(entry)) {
    JoinTo(*into, stage, followed);
  } else if (block.IsDetached(entry)) {
    StepOf(followed.trace, stage).outcome = TraceStep::Outcome::kKept;
    followed.trace.end = EntryTrace::End::kKept;
    followed.live = false;
    RememberHeld(block, entry, followed);
  }
}

void Inspector::JoinTo(EntryIndex into, const StagePlace& stage, Followed& followed) {
  TraceStep& step = StepOf(followed.trace, stage);
  step.outcome = TraceStep::Outcome::kAbsorbed;
  followed.trace.end = EntryTrace::End::kAbsorbed;
  followed.live = false;
  if (into >= entries_.size()) return;
  EntryTrace& whole = entries_[into].trace;
  if (!whole.origins.empty()) step.into = whole.origins.front();
  std::vector<LineOrigin>& joined = StepOf(whole, stage).joined;
  for (const LineOrigin& origin : followed.trace.origins) {
    joined.push_back(origin);
    whole.origins.push_back(origin);
  }
}

// An entry that has lines kept back before is kept back itself: they stay known.
void Inspector::RememberHeld(Block& block, EntryIndex entry, Followed& followed) {
  for (const HeldKey& key : followed.holds) {
    const auto held = held_.find(key);
    if (held == held_.end()) continue;
    held->second.block = block_number_;
    held->second.entry = entry;
  }
  followed.holds.clear();
  if (block.View(entry).source_bytes == 0 || followed.trace.origins.empty()) return;
  const HeldKey own{block.progress(), block.View(entry).offset};
  held_[own] = {followed.trace.origins, block_number_, entry};
}

TraceStep& Inspector::StepOf(EntryTrace& trace, const StagePlace& stage) {
  const auto found = std::find_if(trace.steps.rbegin(), trace.steps.rend(),
                                  [&](const TraceStep& step) { return step.stage == &stage; });
  if (found != trace.steps.rend()) return *found;
  TraceStep step;
  step.stage = &stage;
  return trace.steps.emplace_back(std::move(step));
}

// Entries that go on in the order in which they go; those that have left where they stood.
std::vector<EntryIndex> Inspector::InOrder(const Block& block) const {
  const auto place = [this](EntryIndex entry) {
    return std::make_tuple(entries_[entry].after, entry);
  };
  std::vector<EntryIndex> gone;
  for (EntryIndex entry = 0; entry < entries_.size(); ++entry) {
    if (!entries_[entry].live) gone.push_back(entry);
  }
  std::sort(gone.begin(), gone.end(),
            [&](EntryIndex a, EntryIndex b) { return place(a) < place(b); });
  std::vector<EntryIndex> order;
  auto next = gone.begin();
  for (const EntryIndex entry : block.live()) {
    while (next != gone.end() && place(*next) < place(entry))
      order.push_back(*next++);
    order.push_back(entry);
  }
  order.insert(order.end(), next, gone.end());
  return order;
}

void Inspector::EndBlock(Block& block, std::size_t passed) {
  // What has changed since the last stage was done by limits on labels.
  static const StagePlace kLimits{"limits_config", "limits_config", "limits_config"};
  const auto live = block.live();
  for (const EntryIndex entry : live)
    LookAt(block, entry, kLimits);
  for (std::size_t i = passed; i < live.size(); ++i)
    entries_[live[i]].trace.end = EntryTrace::End::kRateLimited;
  for (const EntryIndex entry : InOrder(block)) {
    Followed& followed = entries_[entry];
    EntryTrace& trace = followed.trace;
    trace.number = next_number_++;
    trace.last = std::move(followed.state);
    std::string text = format_(trace);
    if (write_) {
      write_(text);
    } else {
      stories_.push_back({std::move(text), trace.end == EntryTrace::End::kSent});
    }
    for (const HeldKey& key : followed.holds)
      held_.erase(key);
  }
  entries_.clear();
}

std::string Inspector::TakeNext() {
  std::string text = TakeOthers();
  if (!stories_.empty()) {
    text += stories_.front().text;
    stories_.pop_front();
  }
  return text;
}

std::string Inspector::TakeOthers() {
  std::string text;
  while (!stories_.empty() && !stories_.front().is_sent) {
    text += stories_.front().text;
    stories_.pop_front();
  }
  return text;
}

}  // namespace agent
