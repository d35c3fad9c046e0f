#include "pipeline/time/fudge.h"

#include <limits>

#include "base/check.h"

namespace agent {

FudgeTable::FudgeTable(LabelSets& label_sets, std::size_t capacity)
    : label_sets_(label_sets), capacity_(capacity), epoch_(label_sets.epoch()) {
  CHECK(capacity > 0);
}

void FudgeTable::Remember(LabelSetId labels, int64_t timestamp_ns) {
  const Position found = Find(labels);
  if (found != recent_.end()) {
    found->timestamp_ns = timestamp_ns;
    return;
  }
  if (index_.size() >= capacity_) {
    const Last& oldest = recent_.back();
    if (oldest.id < by_id_.size()) by_id_[oldest.id] = recent_.end();
    index_.erase(oldest.labels);
    recent_.pop_back();
  }
  recent_.push_front({std::string(label_sets_.Text(labels)), timestamp_ns, labels});
  index_.emplace(recent_.front().labels, recent_.begin());
  Link(labels, recent_.begin());
}

std::optional<int64_t> FudgeTable::Next(LabelSetId labels) {
  const Position found = Find(labels);
  if (found == recent_.end()) return std::nullopt;
  if (found->timestamp_ns < std::numeric_limits<int64_t>::max()) ++found->timestamp_ns;
  return found->timestamp_ns;
}

FudgeTable::Position FudgeTable::Find(LabelSetId labels) {
  if (epoch_ != label_sets_.epoch()) {  // The numbers mean other sets now.
    epoch_ = label_sets_.epoch();
    by_id_.clear();
  }
  Position position = labels < by_id_.size() ? by_id_[labels] : recent_.end();
  if (position == recent_.end()) {
    const auto known = index_.find(label_sets_.Text(labels));
    if (known == index_.end()) return recent_.end();
    position = known->second;
    Link(labels, position);
  }
  if (position != recent_.begin()) recent_.splice(recent_.begin(), recent_, position);
  return position;
}

void FudgeTable::Link(LabelSetId labels, Position position) {
  if (labels >= by_id_.size()) by_id_.resize(labels + 1, recent_.end());
  by_id_[labels] = position;
  position->id = labels;
}

}  // namespace agent
