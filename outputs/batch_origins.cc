#include "outputs/batch_origins.h"

#include <utility>

namespace agent {

void EntrySource::SettleNow(const Entry& entry, bool delivered) const {
  if (entry.source_bytes > 0) {
    progress_->SettleBytes(output_, delivered ? entry.source_bytes : 0,
                           delivered ? 0 : entry.source_bytes);
  }
  for (const std::shared_ptr<HeldBytes>& held : entry.holds)
    held->Settle(output_, delivered);
}

const SourceProgress* EntrySource::FirstLineOf(const Entry& entry) const {
  if (!entry.holds.empty()) return &entry.holds.front()->progress();
  return entry.source_bytes > 0 ? progress_.get() : nullptr;
}

void BatchOrigins::Add(const EntrySource& source, const Entry& entry) {
  EntryOrigin origin{
      .pin = EntryOrigin::kNoPin, .source_bytes = entry.source_bytes, .offset = entry.offset};
  if (entry.source_bytes > 0) {
    if (source_serial_ != source.serial()) {
      const std::shared_ptr<SourceProgress>& progress = source.progress();
      const auto [at, inserted] =
          pin_of_.try_emplace(progress.get(), static_cast<uint32_t>(pins_.size()));
      if (inserted) pins_.push_back({progress, progress->Pin(source.output(), entry.offset)});
      pin_ = at->second;
      source_serial_ = source.serial();
    }
    origin.pin = pin_;
  }
  for (const std::shared_ptr<HeldBytes>& held : entry.holds) {
    holds_.push_back({static_cast<uint32_t>(origins_.size()), held});
  }
  origins_.push_back(origin);
}

std::size_t BatchOrigins::memory_bytes() const {
  return origins_.size() * sizeof(EntryOrigin) + holds_.size() * sizeof(BatchHold) +
         pins_.size() * 64;
}

void BatchOrigins::MoveInto(Batch& batch) {
  batch.pins = std::move(pins_);
  batch.holds = std::move(holds_);
  batch.origins = origins_;  // A copy of the right size.
  Clear();
}

void BatchOrigins::Abandon() {
  for (const BatchHold& hold : holds_)
    hold.held->Abandon();
  Clear();
}

void BatchOrigins::Clear() {
  origins_.clear();
  holds_.clear();
  pins_.clear();
  pin_of_.clear();
  source_serial_ = 0;
}

void BatchOrigins::ReleaseMemory() {
  origins_ = {};
  holds_ = {};
  pins_ = {};
}

}  // namespace agent
