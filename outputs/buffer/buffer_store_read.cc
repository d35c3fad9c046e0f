// The reading end of a disk buffer: from block to block, over damage, and what follows from a batch
// being settled.

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "outputs/buffer/buffer_store.h"

namespace agent {

std::optional<StoredBatch> BufferStore::ReadNext() {
  while (reader_index_ < segments_.size()) {
    Segment& segment = segments_[reader_index_];
    if (reader_offset_ >= segment.now.size) {
      if (reader_index_ + 1 == segments_.size()) break;
      NextSegment();
      continue;
    }
    if (!OpenReader()) {
      counters_.corrupt_batches += segment.now.batches - segment.read_batches;
      reader_offset_ = segment.now.size;
      continue;
    }
    const auto header = reader_->HeaderAt(reader_offset_, segment.now.size);
    if (header && header->id <= read_id_) {  // Settled before a restart, or written twice.
      reader_offset_ += header->size();
      reader_number_ = header->number + 1;
      continue;
    }
    auto batch = header ? codec_.Decode(*header, reader_->Payload(reader_offset_, *header))
                        : Result<StoredBatch>(Error{ErrorCode::kInvalid, ""});
    if (!batch.ok()) {
      SkipDamage(reader_offset_, header);
      continue;
    }
    // Blocks that were gone before the file was looked at show in the numbers alone.
    reader_offset_ += header->size();
    reader_number_ = header->number + 1;
    read_id_ = header->id;
    ++segment.read_batches;
    segment.read_entries += header->entries;
    sent_[header->id] = {header->entries, header->created_wall_ns};
    sent_entries_ += header->entries;
    return std::move(*batch);
  }
  AdvanceCursor();  // What was damaged is settled as well.
  return std::nullopt;
}

// The segment that is read next, where there is something to read.
bool BufferStore::OpenReader() {
  while (reader_index_ + 1 < segments_.size() &&
         reader_offset_ >= segments_[reader_index_].now.size)
    NextSegment();
  if (reader_ || reader_index_ >= segments_.size()) return reader_.has_value();
  const std::string& path = segments_[reader_index_].path;
  auto opened = SegmentFile::Open(path);
  if (!opened) {
    logger_.WriteLimited(LogLevel::kError, "buffer_open:" + options_.output, "buffer",
                         "a segment cannot be opened: its batches are passed over",
                         {{"path", path}, {"error", opened.error().message}});
    return false;
  }
  reader_ = std::move(*opened);
  return true;
}

void BufferStore::NextSegment() {
  Segment& done = segments_[reader_index_];
  done.read_batches = done.now.batches;
  done.read_entries = done.now.entries;
  read_id_ = std::max(read_id_, done.now.last_id);
  ++reader_index_;
  reader_.reset();
  reader_offset_ = kSegmentHeaderBytes;
  reader_number_ = 0;
}

// What was appended is with the receiver already.
void BufferStore::SkipToEnd(const StoredBatch& batch) {
  while (reader_index_ + 1 < segments_.size())
    NextSegment();
  Segment& segment = segments_.back();
  reader_offset_ = segment.now.size;
  reader_number_ = segment.now.blocks;
  read_id_ = std::max(read_id_, batch.id);
  segment.read_batches = segment.now.batches;
  segment.read_entries = segment.now.entries;
  sent_[batch.id] = {batch.origins.size(), batch.created_wall_ns};
  sent_entries_ += batch.origins.size();
}

void BufferStore::SkipDamage(uint64_t offset, const std::optional<BlockHeader>& header) {
  Segment& segment = segments_[reader_index_];
  const uint64_t end = segment.now.size;
  const uint64_t next = reader_->FindWhole(offset + 1, end).value_or(end);
  uint64_t lost = 1;
  if (next < end) {
    const auto found = reader_->HeaderAt(next, end);
    if (found && found->number > reader_number_) lost = found->number - reader_number_;
  } else if (segment.now.blocks > reader_number_) {
    lost = segment.now.blocks - reader_number_;
  }
  counters_.corrupt_batches += lost;
  counters_.corrupt_bytes += next - offset;
  // As far as they had been counted.
  const uint64_t left = segment.now.batches - segment.read_batches;
  segment.read_batches += std::min(left, lost);
  if (header) {
    segment.read_entries = std::min(segment.read_entries + header->entries, segment.now.entries);
  }
  KeepDamaged(segment.path, offset, next - offset);
  logger_.Error("buffer", "a part of the buffer is damaged: its batches are lost",
                {{"output", options_.output},
                 {"path", segment.path},
                 {"offset", offset},
                 {"bytes", next - offset},
                 {"batches", lost},
                 {"hint", "what was damaged is kept in a file .corrupt beside it"}});
  reader_offset_ = next;
  reader_number_ += static_cast<uint32_t>(lost);
}

void BufferStore::Settle(uint64_t id) {
  const auto at = sent_.find(id);
  if (at == sent_.end()) return;  // Its segment was given up meanwhile.
  sent_entries_ -= at->second.entries;
  sent_.erase(at);
  AdvanceCursor();
}

void BufferStore::AdvanceCursor() {
  const uint64_t settled = sent_.empty() ? read_id_ : sent_.begin()->first - 1;
  if (settled > cursor_.id()) {
    const Status written = cursor_.Write(settled);
    if (!written.ok()) {
      logger_.WriteLimited(LogLevel::kError, "buffer_cursor:" + options_.output, "buffer",
                           "the cursor cannot be written: after a restart batches are sent again",
                           {{"output", options_.output}, {"error", written.error().message}});
    }
  }
  // Settled, and read to its end: there may be damage behind its last block.
  const auto done = [&](const Segment& segment) {
    const bool read = reader_index_ > 0 || reader_offset_ >= segment.now.size;
    return read && segment.now.last_id <= settled;
  };
  if (segments_.empty() || !done(segments_.front())) return;
  // Else ids could be given out again that a segment has which comes back after a power loss.
  const Status synced = cursor_.Sync();
  if (!synced.ok()) return;
  while (!segments_.empty() && done(segments_.front()))
    RemoveSegment(0);
}

void BufferStore::RemoveSegment(std::size_t index) {
  Segment& segment = segments_[index];
  if (index + 1 == segments_.size()) writer_.Reset();
  if (::unlink(segment.path.c_str()) != 0) {
    logger_.Debug("buffer", "segment not removed", {{"path", segment.path}});
  }
  quota_.used_bytes -= segment.now.size;
  segments_.erase(segments_.begin() + static_cast<std::ptrdiff_t>(index));
  if (reader_index_ > index) {
    --reader_index_;
  } else if (reader_index_ == index) {
    reader_.reset();
    reader_offset_ = kSegmentHeaderBytes;
    reader_number_ = 0;
  }
}

std::optional<BufferStore::Dropped> BufferStore::DropOldest() {
  if (segments_.empty()) return std::nullopt;
  const Segment& oldest = segments_.front();
  const Dropped dropped{oldest.now.batches - oldest.read_batches,
                        oldest.now.entries - oldest.read_entries, oldest.now.size};
  read_id_ = std::max(read_id_, oldest.now.last_id);
  while (!sent_.empty() && sent_.begin()->first <= oldest.now.last_id) {
    sent_entries_ -= sent_.begin()->second.entries;
    sent_.erase(sent_.begin());
  }
  RemoveSegment(0);
  AdvanceCursor();
  return dropped;
}

}  // namespace agent
