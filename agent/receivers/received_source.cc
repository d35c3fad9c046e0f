#include "agent/receivers/received_source.h"

#include <cstring>

namespace agent {

std::size_t ReceivedEntry::memory_bytes() const {
  std::size_t bytes = sizeof(ReceivedEntry) + line.size();
  for (const auto& [name, value] : metadata)
    bytes += sizeof(metadata[0]) + name.size() + value.size();
  return bytes;
}

ReceivedSource::ReceivedSource(Init init)
    : init_(std::move(init)),
      progress_(std::make_shared<SourceProgress>(init_.job, std::vector<uint64_t>(init_.outputs, 0),
                                                 nullptr, SourceIdentity{init_.name, 0, 0})) {}

// Into taken_: about so many bytes of lines, at least one line.
void ReceivedSource::Take(std::size_t max_bytes) {
  taken_.clear();
  bool drained = false;
  {
    const MutexLock lock(mutex_);
    std::size_t bytes = 0;
    while (!waiting_.empty() && (bytes == 0 || bytes + waiting_.front().line.size() < max_bytes)) {
      ReceivedEntry& entry = waiting_.front();
      bytes += entry.line.size() + 1;
      waiting_bytes_ -= entry.memory_bytes();
      taken_.push_back(std::move(entry));
      waiting_.pop_front();
    }
    drained = was_full_ && waiting_bytes_ < kMaxWaitingBytes / 2;
    if (drained) was_full_ = false;
  }
  if (drained && init_.drained) init_.drained();
}

ReadStatus ReceivedSource::Read(BlockBuffer& buffer, std::size_t max_bytes, Chunk& chunk) {
  Take(max_bytes);
  if (taken_.empty()) {
    const MutexLock lock(mutex_);
    return ended_ && waiting_.empty() ? ReadStatus::kEnded : ReadStatus::kIdle;
  }
  std::size_t bytes = 0;
  std::size_t pairs = 0;
  for (const ReceivedEntry& entry : taken_) {
    bytes += entry.line.size() + 1;
    pairs += entry.metadata.size();
  }
  lines_.clear();
  metadata_.clear();
  metadata_.reserve(pairs);  // The spans must stay where they are.
  char* to = buffer.Ensure(bytes);
  chunk.data = std::string_view(to, bytes);
  for (const ReceivedEntry& entry : taken_) {
    // NOLINTNEXTLINE(bugprone-not-null-terminated-result): no C text.
    std::memcpy(to, entry.line.data(), entry.line.size());
    to[entry.line.size()] = '\n';
    const std::size_t first = metadata_.size();
    for (const auto& [name, value] : entry.metadata)
      metadata_.push_back({name, value});
    lines_.push_back({{to, entry.line.size()},
                      entry.labels.get(),
                      entry.timestamp_ns,
                      std::span<const Metadata>(metadata_).subspan(first)});
    to += entry.line.size() + 1;
  }
  chunk.lines = lines_;
  chunk.offset = offset_;
  offset_ += bytes;
  return ReadStatus::kData;
}

void ReceivedSource::Add(ReceivedEntry entry) {
  const MutexLock lock(mutex_);
  waiting_bytes_ += entry.memory_bytes();
  if (waiting_bytes_ >= kMaxWaitingBytes) was_full_ = true;
  waiting_.push_back(std::move(entry));
}

void ReceivedSource::Add(std::vector<ReceivedEntry>& entries) {
  const MutexLock lock(mutex_);
  for (ReceivedEntry& entry : entries) {
    waiting_bytes_ += entry.memory_bytes();
    waiting_.push_back(std::move(entry));
  }
  if (waiting_bytes_ >= kMaxWaitingBytes) was_full_ = true;
  entries.clear();
}

bool ReceivedSource::full() const {
  return waiting_bytes() >= kMaxWaitingBytes;
}

std::size_t ReceivedSource::waiting_bytes() const {
  const MutexLock lock(mutex_);
  return waiting_bytes_;
}

void ReceivedSource::End() {
  const MutexLock lock(mutex_);
  ended_ = true;
}

}  // namespace agent
