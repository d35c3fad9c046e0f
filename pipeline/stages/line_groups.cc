#include "pipeline/stages/line_groups.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <span>
#include <string>
#include <utility>

namespace agent {
namespace {

// A group beside its texts: the nodes of the list and of the index.
constexpr std::size_t kGroupBytes = 384;
// More pieces than this are not kept room for.
constexpr std::size_t kKeptPieces = 256;

// Whether `next` stands right behind `text` and a '\n' in memory: together they are one text.
// (After every text there are readable bytes.)
bool StandsBehind(std::string_view text, std::string_view next) {
  if (text.data() == nullptr) return false;
  const char* const end = text.data() + text.size();
  return next.data() == end + 1 && *end == '\n';
}

void Join(std::span<const std::string_view> pieces, char* to) {
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (i > 0) *to++ = '\n';
    if (!pieces[i].empty()) std::memcpy(to, pieces[i].data(), pieces[i].size());
    to += pieces[i].size();
  }
}

// Since when its source may have more to read.
int64_t UnreadSince(const HeldEntry& held) {
  return held.holds.empty() ? SourceProgress::kAllRead
                            : held.holds.back()->progress().unread_since();
}

}  // namespace

LineGroups::LineGroups(StageContext& context, const Limits& limits)
    : label_sets_(context.label_sets),
      clock_(context.clock),
      held_memory_(context.held_memory),
      limits_(limits),
      reason_(context.drop_reasons.Intern("multiline_stage", /*promtail_counts=*/false)),
      bounds_(HoldBounds::Of(context)),
      memory_(context.held_memory.Reserve(0)) {}

LineGroups::~LineGroups() {
  Abandon();
}

LineGroups::Group* LineGroups::Find(LabelSetId labels) {
  if (last_ != nullptr && last_->labels == labels) return last_;
  const auto found = by_labels_.find(labels);
  if (found == by_labels_.end()) return nullptr;
  Touch(found->second);
  last_ = &*found->second;
  return last_;
}

void LineGroups::Touch(GroupList::iterator group) {
  if (group->touched) return;
  group->touched = true;
  touched_.splice(touched_.end(), group->is_held ? open_ : idle_, group);
}

LineGroups::Group& LineGroups::Begin(Block& block, LabelSetId labels) {
  if (by_labels_.size() >= limits_.max_label_sets) {
    bounds_->Hit(HoldBound::kLabelSets);
    if (open_.empty() && idle_.empty()) ParkAll(block);
    if (idle_.empty()) Emit(block, open_.begin());
    Forget(idle_.begin());
  }
  const auto group = touched_.emplace(touched_.end());
  group->labels = labels;
  group->touched = true;
  label_sets_.Pin(labels);
  by_labels_.emplace(labels, group);
  last_ = &*group;
  return *group;
}

void LineGroups::Add(Block& block, EntryIndex entry, bool first) {
  Group* group = Find(block.LabelsOf(entry));
  if (group == nullptr) {
    if (!first) return;
    group = &Begin(block, block.LabelsOf(entry));
  }
  if (first) {
    Close(block, *group, entry);
    group->values = entry;
  } else if (group->text_size > 0 &&
             group->text_size + block.Line(entry).size() >= limits_.max_bytes) {
    Close(block, *group, entry);
    bounds_->Hit(HoldBound::kLength);
  }
  Append(block, *group, entry);
  if (++group->lines == limits_.max_lines) Close(block, *group, entry);
}

void LineGroups::Append(Block& block, Group& group, EntryIndex entry) {
  const std::string_view line = block.Line(entry);
  if (group.is_held) {
    std::string& text = group.held.line;
    if (!text.empty()) text += '\n';
    text += line;
    group.text_size = text.size();
    block.Absorb(group.held, entry);
    return;
  }
  if (group.entry != kNone) {
    block.Absorb(group.entry, entry);
  } else {
    if (group.values == kNone) {
      block.SetValues(entry, group.held.values);
    } else if (group.values != entry) {
      block.CopyValues(group.values, entry);
    }
    group.values = entry;
    group.entry = entry;
    block.ClearMetadata(entry);
  }
  AppendPiece(group, line);
}

void LineGroups::AppendPiece(Group& group, std::string_view line) {
  if (group.text_size == 0) {  // Empty lines in front of the text are lost, as in Promtail.
    if (line.empty()) return;
    group.pieces.push_back(line);
    group.text_size = line.size();
    return;
  }
  group.text_size += 1 + line.size();
  std::string_view& last = group.pieces.back();
  if (StandsBehind(last, line)) {
    last = {last.data(), last.size() + 1 + line.size()};
  } else {
    group.pieces.push_back(line);
  }
}

void LineGroups::Close(Block& block, Group& group, EntryIndex before) const {
  // An empty text is nothing to ship, and does not begin a new count of lines either.
  const bool is_empty = group.text_size == 0;
  if (group.entry != kNone) {
    if (is_empty) {
      block.Drop(group.entry, reason_);
    } else if (group.pieces.size() == 1) {
      block.SetLine(group.entry, group.pieces.front());
    } else {
      char* const text = block.arena().Allocate(group.text_size);
      Join(group.pieces, text);
      block.SetLine(group.entry, {text, group.text_size});
    }
    group.entry = kNone;
  } else if (group.is_held) {
    group.is_held = false;
    if (is_empty) {
      block.DropHeld(TakeLines(group), reason_);
    } else {
      group.values = block.InsertBefore(before, std::exchange(group.held, HeldEntry()));
    }
  } else {
    return;
  }
  if (!is_empty) group.lines = 0;
  group.pieces.clear();
  group.text_size = 0;
}

void LineGroups::EndBlock(Block& block) {
  if (touched_.empty()) return;
  ParkAll(block);
  KeepWithinMemory(block);
}

void LineGroups::ParkAll(Block& block) {
  // Far from the end of the clock's numbers.
  constexpr int64_t kLongestWaitNs = int64_t{1} << 60;
  const int64_t deadline = clock_.MonotonicNanos() + std::min(limits_.max_wait_ns, kLongestWaitNs);
  while (!touched_.empty()) {
    Group& group = touched_.front();
    Park(block, group, deadline);
    GroupList& to = group.is_held ? open_ : idle_;
    to.splice(to.end(), touched_, touched_.begin());
  }
  last_ = nullptr;
}

void LineGroups::Park(Block& block, Group& group, int64_t deadline_ns) {
  if (group.entry != kNone) {
    block.SetLine(group.entry, {});  // The text is joined in its own place, not copied twice.
    group.held = block.Detach(group.entry);
    group.held.line.resize(group.text_size);
    Join(group.pieces, group.held.line.data());
    group.is_held = true;
  } else if (!group.is_held && group.values != kNone) {
    group.held.values = block.CopyValues(group.values);
  }
  group.entry = kNone;
  group.values = kNone;
  group.pieces.clear();
  if (group.pieces.capacity() > kKeptPieces) group.pieces.shrink_to_fit();
  group.touched = false;
  group.deadline_ns = deadline_ns;
  Account(group);
}

void LineGroups::Account(Group& group) {
  const std::size_t bytes =
      kGroupBytes + group.held.memory_bytes() + group.pieces.capacity() * sizeof(std::string_view);
  memory_bytes_ += bytes - group.memory_bytes;
  group.memory_bytes = bytes;
}

HeldEntry LineGroups::TakeLines(Group& group) {
  HeldEntry taken;
  taken.line = std::exchange(group.held.line, {});
  taken.labels = group.held.labels;
  taken.holds = std::exchange(group.held.holds, {});
  return taken;
}

void LineGroups::Emit(Block& block, GroupList::iterator group) {
  group->is_held = false;
  if (group->text_size == 0) {
    block.DropHeld(TakeLines(*group), reason_);
  } else {
    const EntryIndex entry = block.InsertAtEnd(std::exchange(group->held, HeldEntry()));
    group->held.values = block.CopyValues(entry);
    group->lines = 0;
    group->text_size = 0;
  }
  Account(*group);
  idle_.splice(idle_.end(), open_, group);
}

std::optional<int64_t> LineGroups::NextDeadline() const {
  for (const Group& group : open_) {
    // Its turn to be read comes first.
    if (group.deadline_ns <= UnreadSince(group.held)) return group.deadline_ns;
  }
  return std::nullopt;
}

void LineGroups::EmitDue(Block& block) {
  const int64_t now = clock_.MonotonicNanos();
  for (auto group = open_.begin(); group != open_.end() && group->deadline_ns <= now;) {
    const auto next = std::next(group);
    if (group->deadline_ns <= UnreadSince(group->held)) Emit(block, group);
    group = next;
  }
  memory_.Resize(memory_bytes_);
}

void LineGroups::EmitAll(Block& block) {
  while (!open_.empty())
    Emit(block, open_.begin());
  memory_.Resize(memory_bytes_);
}

void LineGroups::EmitOf(const SourceProgress& source, Block& block) {
  for (auto group = open_.begin(); group != open_.end();) {
    const auto next = std::next(group);
    const auto& holds = group->held.holds;
    if (!holds.empty() && &holds.back()->progress() == &source) Emit(block, group);
    group = next;
  }
  memory_.Resize(memory_bytes_);
}

void LineGroups::Forget(GroupList::iterator group) {
  memory_bytes_ -= group->memory_bytes;
  label_sets_.Unpin(group->labels);
  by_labels_.erase(group->labels);
  last_ = nullptr;
  idle_.erase(group);
}

void LineGroups::KeepWithinMemory(Block& block) {
  memory_.Resize(memory_bytes_);
  while (held_memory_.full() && !(idle_.empty() && open_.empty())) {
    bounds_->Hit(HoldBound::kMemory);
    if (idle_.empty()) {
      Emit(block, open_.begin());
    } else {
      Forget(idle_.begin());
    }
    memory_.Resize(memory_bytes_);
  }
}

void LineGroups::Abandon() {
  for (Group& group : open_) {
    for (const auto& held : group.held.holds)
      held->Abandon();
    label_sets_.Unpin(group.held.labels);
  }
  for (const auto& [labels, group] : by_labels_)
    label_sets_.Unpin(labels);
  by_labels_.clear();
  open_.clear();
  idle_.clear();
  last_ = nullptr;
  memory_bytes_ = 0;
  memory_.Resize(0);
}

}  // namespace agent
