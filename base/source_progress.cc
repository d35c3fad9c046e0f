#include "base/source_progress.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace agent {
namespace {

// Removes the pin with that id; the order of the others does not matter.
void EraseId(std::vector<std::pair<uint32_t, uint64_t>>& pairs, uint32_t id) {
  const auto at =
      std::find_if(pairs.begin(), pairs.end(), [id](const auto& pair) { return pair.first == id; });
  CHECK(at != pairs.end());
  *at = pairs.back();
  pairs.pop_back();
}

uint64_t Smallest(const std::vector<std::pair<uint32_t, uint64_t>>& pairs, uint64_t otherwise) {
  for (const auto& pair : pairs)
    otherwise = std::min(otherwise, pair.second);
  return otherwise;
}

}  // namespace

SourceProgress::SourceProgress(std::string job, std::vector<uint64_t> settled,
                               std::function<void()> on_settled, SourceIdentity identity)
    : job_(std::move(job)),
      identity_(std::move(identity)),
      start_(std::move(settled)),
      on_settled_(std::move(on_settled)) {
  CHECK(!start_.empty());
  outputs_.resize(start_.size());
  processed_end_ = *std::min_element(start_.begin(), start_.end());
}

void SourceProgress::CountInto(std::shared_ptr<JobLedger> ledger) {
  ledger_ = std::move(ledger);
}

SourceProgress::PinId SourceProgress::Pin(std::size_t output, uint64_t offset) {
  const MutexLock lock(mutex_);
  const PinId id = next_id_++;
  outputs_[output].pins.emplace_back(id, offset);
  return id;
}

void SourceProgress::SettleBytes(std::size_t output, uint64_t settled_bytes,
                                 uint64_t dropped_bytes) {
  const MutexLock lock(mutex_);
  CountSettled(output, settled_bytes, dropped_bytes);
}

void SourceProgress::CountSettled(std::size_t output, uint64_t settled_bytes,
                                  uint64_t dropped_bytes) {
  outputs_[output].settled_bytes += settled_bytes;
  outputs_[output].dropped_bytes += dropped_bytes;
  if (ledger_ == nullptr) return;
  ledger_->settled_bytes[output] += settled_bytes;
  ledger_->dropped_bytes[output] += dropped_bytes;
}

void SourceProgress::Advance(const ProcessedBlock& block) {
  bool moved = false;
  {
    const MutexLock lock(mutex_);
    CHECK(block.end >= processed_end_);
    processed_end_ = block.end;
    read_bytes_ += block.read_bytes;
    pipeline_dropped_ += block.dropped_bytes;
    lines_ += block.lines;
    if (ledger_ != nullptr) {
      ledger_->read_bytes += block.read_bytes;
      ledger_->read_lines += block.lines;
      ledger_->pipeline_dropped_bytes += block.dropped_bytes;
    }
    // A block of which nothing is on its way settles by itself.
    moved = holds_.empty() && std::any_of(outputs_.begin(), outputs_.end(),
                                          [](const auto& output) { return output.pins.empty(); });
  }
  if (moved && on_settled_) on_settled_();
}

SourceProgress::HoldId SourceProgress::Hold(uint64_t offset) {
  const MutexLock lock(mutex_);
  return *holds_.emplace(offset, next_id_++).first;
}

void SourceProgress::Release(const HoldId& hold) {
  {
    const MutexLock lock(mutex_);
    CHECK(holds_.erase(hold) == 1);
  }
  if (on_settled_) on_settled_();
}

void SourceProgress::DropHeld(uint64_t bytes) {
  const MutexLock lock(mutex_);
  pipeline_dropped_ += bytes;
  if (ledger_ != nullptr) ledger_->pipeline_dropped_bytes += bytes;
}

void SourceProgress::Settle(std::size_t output, PinId pin, uint64_t settled_bytes,
                            uint64_t dropped_bytes) {
  {
    const MutexLock lock(mutex_);
    EraseId(outputs_[output].pins, pin);
    CountSettled(output, settled_bytes, dropped_bytes);
  }
  if (on_settled_) on_settled_();
}

uint64_t SourceProgress::SettledLocked(std::size_t output) const {
  const uint64_t held = holds_.empty() ? processed_end_ : holds_.begin()->first;
  const uint64_t settled = Smallest(outputs_[output].pins, std::min(held, processed_end_));
  // What was settled before the start stays so while it is read past for another output.
  return std::max(settled, start_[output]);
}

uint64_t SourceProgress::settled(std::size_t output) const {
  const MutexLock lock(mutex_);
  return SettledLocked(output);
}

uint64_t SourceProgress::min_settled() const {
  const MutexLock lock(mutex_);
  uint64_t settled = SettledLocked(0);
  for (std::size_t i = 1; i < outputs_.size(); ++i)
    settled = std::min(settled, SettledLocked(i));
  return settled;
}

uint64_t SourceProgress::processed_end() const {
  const MutexLock lock(mutex_);
  return processed_end_;
}

LedgerBalance SourceProgress::Balance(std::size_t output) const {
  const MutexLock lock(mutex_);
  LedgerBalance balance;
  balance.read = read_bytes_;
  balance.settled = outputs_[output].settled_bytes;
  balance.dropped = pipeline_dropped_ + outputs_[output].dropped_bytes;
  balance.in_flight = balance.read - balance.settled - balance.dropped;
  return balance;
}

uint64_t SourceProgress::lines() const {
  const MutexLock lock(mutex_);
  return lines_;
}

uint64_t SourceProgress::pipeline_dropped_bytes() const {
  const MutexLock lock(mutex_);
  return pipeline_dropped_;
}

bool SourceProgress::idle() const {
  const MutexLock lock(mutex_);
  return holds_.empty() && std::all_of(outputs_.begin(), outputs_.end(),
                                       [](const auto& output) { return output.pins.empty(); });
}

}  // namespace agent
