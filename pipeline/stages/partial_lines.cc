#include "pipeline/stages/partial_lines.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

namespace agent {

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
  piece.line.clear();
  piece.holds.clear();
  line.last = std::move(piece);
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
  open_.erase(found);
}

HeldEntry PartialLines::Assemble(OpenLine line) {
  line.last.line = std::move(line.text);
  line.last.holds = std::move(line.holds);
  return std::move(line.last);
}

HeldEntry PartialLines::Take(LabelSetId labels) {
  return Assemble(std::move(open_.extract(labels).mapped()));
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
}

void PartialLines::EmitOf(const SourceProgress& source, Block& block) {
  const auto is_from = [&](const OpenLine& line) {
    return !line.holds.empty() && &line.holds.back()->progress() == &source;
  };
  for (const LabelSetId labels : InOrder(is_from))
    block.InsertAtEnd(Take(labels));
}

void PartialLines::Abandon() {
  for (auto& [labels, line] : open_) {
    for (const auto& held : line.holds)
      held->Abandon();
    label_sets_.Unpin(labels);
  }
  open_.clear();
}

}  // namespace agent
