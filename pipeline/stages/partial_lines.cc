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

void PartialLines::Keep(Block& block, EntryIndex entry, Key key, int64_t now_ns) {
  if (static_cast<int64_t>(open_.size()) >= limits_.max_open) {
    for (const Key open : InOrder([](const OpenLine&) { return true; }))
      block.InsertBefore(entry, Take(open));
  }
  HeldEntry piece = block.Detach(entry);
  const auto [at, is_new] = open_.try_emplace(key);
  if (is_new) {
    at->second.order = next_order_++;
  } else {
    label_sets_.Unpin(at->second.last.labels);  // Detach() has pinned those of the new piece.
  }
  at->second.kept_ns = now_ns;
  Append(at->second, std::move(piece));
  if (at->second.memory_bytes < HoldBounds::MaxEntryBytes(held_memory_)) return;
  bounds_->Hit(HoldBound::kLength);
  block.InsertBefore(entry, Take(key));
}

void PartialLines::EndOther(Block& block, EntryIndex entry, Key key) {
  const auto found = open_.find(key);
  if (found == open_.end()) return;
  if (found->second.last.values.timestamp_ns == block.Timestamp(entry)) return;
  block.InsertBefore(entry, Take(key));
}

void PartialLines::CompleteOpen(Block& block, EntryIndex entry, Key key) {
  const auto found = open_.find(key);
  if (found == open_.end()) return;
  OpenLine& line = found->second;
  const std::string_view end = block.Line(entry);
  line.text.append(end);
  Truncate(line.text);
  block.SetLine(entry, block.arena().Copy(line.text));
  block.AddHolds(entry, std::move(line.holds));
  label_sets_.Unpin(line.last.labels);
  Erase(found);
}

void PartialLines::EndBlock(Block& block) {
  memory_.Resize(memory_bytes_);
  if (open_.empty() || !held_memory_.full()) return;
  for (const Key key : InOrder([](const OpenLine&) { return true; })) {
    bounds_->Hit(HoldBound::kMemory);
    block.InsertAtEnd(Take(key));
    memory_.Resize(memory_bytes_);
    if (!held_memory_.full()) return;
  }
}

HeldEntry PartialLines::Take(Key key) {
  const auto found = open_.find(key);
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
std::vector<PartialLines::Key> PartialLines::InOrder(Wanted wanted) const {
  std::vector<std::pair<uint64_t, Key>> found;
  for (const auto& [key, line] : open_) {
    if (wanted(line)) found.emplace_back(line.order, key);
  }
  std::sort(found.begin(), found.end());
  std::vector<Key> ordered;
  ordered.reserve(found.size());
  for (const auto& [order, key] : found)
    ordered.push_back(key);
  return ordered;
}

void PartialLines::EmitAll(Block& block) {
  for (const Key key : InOrder([](const OpenLine&) { return true; }))
    block.InsertAtEnd(Take(key));
  memory_.Resize(memory_bytes_);
}

void PartialLines::EmitOf(const SourceProgress& source, Block& block) {
  const auto is_from = [&](const OpenLine& line) {
    return !line.holds.empty() && &line.holds.back()->progress() == &source;
  };
  for (const Key key : InOrder(is_from))
    block.InsertAtEnd(Take(key));
  memory_.Resize(memory_bytes_);
}

bool PartialLines::Waits(const OpenLine& line) {
  return line.holds.empty() ||
         line.holds.back()->progress().unread_since() == SourceProgress::kAllRead;
}

std::optional<int64_t> PartialLines::OldestKept() const {
  std::optional<int64_t> oldest;
  for (const auto& [key, line] : open_) {
    if (Waits(line) && (!oldest || line.kept_ns < *oldest)) oldest = line.kept_ns;
  }
  return oldest;
}

void PartialLines::EmitKept(int64_t until_ns, Block& block) {
  const auto is_due = [until_ns](const OpenLine& line) {
    return line.kept_ns <= until_ns && Waits(line);
  };
  for (const Key key : InOrder(is_due))
    block.InsertAtEnd(Take(key));
  memory_.Resize(memory_bytes_);
}

void PartialLines::Abandon() {
  for (auto& [key, line] : open_) {
    for (const auto& held : line.holds)
      held->Abandon();
    label_sets_.Unpin(line.last.labels);
  }
  open_.clear();
  memory_bytes_ = 0;
  memory_.Resize(0);
}

}  // namespace agent
