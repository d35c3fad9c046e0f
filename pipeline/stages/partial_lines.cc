#include "pipeline/stages/partial_lines.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

namespace agent {

PartialLines::PartialLines(const StageContext& context, const Limits& limits)
    : label_sets_(context.label_sets),
      held_memory_(context.held_memory),
      limits_(limits),
      bounds_(HoldBounds::Of(context)),
      memory_(context.held_memory.Reserve(0)) {}

PartialLines::~PartialLines() {
  Abandon();
}

void PartialLines::Truncate(std::string& text) const {
  if (text.size() > limits_.max_line_bytes) text.resize(limits_.max_line_bytes);
}

void PartialLines::Append(OpenLine& line, HeldEntry piece) {
  line.text += piece.line;
  Truncate(line.text);
  line.holds.insert(line.holds.end(), std::make_move_iterator(piece.holds.begin()),
                    std::make_move_iterator(piece.holds.end()));
  piece.line = std::string();
  piece.holds.clear();
  line.last = std::move(piece);
  const std::size_t bytes = sizeof(OpenLine) + line.text.capacity() + line.last.memory_bytes() +
                            line.holds.size() * HeldEntry::kHoldBytes;
  memory_bytes_ += bytes - line.memory_bytes;
  line.memory_bytes = bytes;
}

void PartialLines::Keep(Block& block, EntryIndex entry) {
  if (static_cast<int64_t>(open_.size()) >= limits_.max_open) {
    for (const LabelSetId labels : InOrder([](const OpenLine&) { return true; }))
      block.InsertBefore(entry, Take(labels));
  }
  HeldEntry piece = block.Detach(entry);
  const LabelSetId labels = piece.labels;
  const auto [at, is_new] = open_.try_emplace(labels);
  if (is_new) {
    at->second.order = next_order_++;
  } else {
    label_sets_.Unpin(labels);  // Detach() has pinned it once more.
  }
  Append(at->second, std::move(piece));
  if (at->second.memory_bytes < HoldBounds::MaxEntryBytes(held_memory_)) return;
  bounds_->Hit(HoldBound::kLength);
  block.InsertBefore(entry, Take(labels));
}

void PartialLines::CompleteOpen(Block& block, EntryIndex entry) {
  const auto found = open_.find(block.LabelsOf(entry));
  if (found == open_.end()) return;
  OpenLine& line = found->second;
  const std::string_view end = block.Line(entry);
  line.text.append(end);
  Truncate(line.text);
  block.SetLine(entry, block.arena().Copy(line.text));
  block.AddHolds(entry, std::move(line.holds));
  label_sets_.Unpin(found->first);
  Erase(found);
}

void PartialLines::EndBlock(Block& block) {
  memory_.Resize(memory_bytes_);
  if (open_.empty() || !held_memory_.full()) return;
  for (const LabelSetId labels : InOrder([](const OpenLine&) { return true; })) {
    bounds_->Hit(HoldBound::kMemory);
    block.InsertAtEnd(Take(labels));
    memory_.Resize(memory_bytes_);
    if (!held_memory_.full()) return;
  }
}

HeldEntry PartialLines::Take(LabelSetId labels) {
  const auto found = open_.find(labels);
  HeldEntry line = std::move(found->second.last);
  line.line = std::move(found->second.text);
  line.holds = std::move(found->second.holds);
  Erase(found);
  return line;
}

void PartialLines::Erase(OpenLines::iterator line) {
  memory_bytes_ -= line->second.memory_bytes;
  open_.erase(line);
}

template <typename Wanted>
std::vector<LabelSetId> PartialLines::InOrder(Wanted wanted) const {
  std::vector<std::pair<uint64_t, LabelSetId>> found;
  for (const auto& [labels, line] : open_) {
    if (wanted(line)) found.emplace_back(line.order, labels);
  }
  std::sort(found.begin(), found.end());
  std::vector<LabelSetId> ordered;
  ordered.reserve(found.size());
  for (const auto& [order, labels] : found)
    ordered.push_back(labels);
  return ordered;
}

void PartialLines::EmitAll(Block& block) {
  for (const LabelSetId labels : InOrder([](const OpenLine&) { return true; }))
    block.InsertAtEnd(Take(labels));
  memory_.Resize(memory_bytes_);
}

void PartialLines::EmitOf(const SourceProgress& source, Block& block) {
  const auto is_from = [&](const OpenLine& line) {
    return !line.holds.empty() && &line.holds.back()->progress() == &source;
  };
  for (const LabelSetId labels : InOrder(is_from))
    block.InsertAtEnd(Take(labels));
  memory_.Resize(memory_bytes_);
}

void PartialLines::Abandon() {
  for (auto& [labels, line] : open_) {
    for (const auto& held : line.holds)
      held->Abandon();
    label_sets_.Unpin(labels);
  }
  open_.clear();
  memory_bytes_ = 0;
  memory_.Resize(0);
}

}  // namespace agent
