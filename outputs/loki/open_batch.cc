#include "outputs/loki/open_batch.h"

#include <algorithm>
#include <new>

namespace agent::loki {
namespace {

constexpr std::size_t kFirstCapacity = std::size_t{32} << 10;

}  // namespace

void GrowingBuffer::Grow(std::size_t more) {
  const std::size_t capacity = std::max({capacity_ * 2, size_ + more, kFirstCapacity});
  // realloc moves pages instead of bytes once the buffer is large.
  char* data = static_cast<char*>(std::realloc(data_.get(), capacity));
  if (data == nullptr) throw std::bad_alloc();
  static_cast<void>(data_.release());
  data_.reset(data);
  capacity_ = capacity;
}

std::size_t OpenBatch::memory_bytes() const {
  if (!open) return 0;
  return raw_bytes() + stretches.size() * sizeof(Stretch) + streams.size() * sizeof(Stream) +
         origins.size() * sizeof(EntryOrigin) + holds.size() * sizeof(BatchHold) + pins.size() * 64;
}

void OpenBatch::AddToStretch(uint32_t slot, std::size_t bytes) {
  const auto begin = static_cast<uint32_t>(entries.size());
  const auto end = static_cast<uint32_t>(begin + bytes);
  Stream& stream = streams[slot];
  stream.bytes += bytes;
  if (!stretches.empty() && last_slot == slot) {
    Stretch& stretch = stretches.back();
    stretch.end = end;
    ++stretch.entries;
    return;
  }
  const auto index = static_cast<uint32_t>(stretches.size());
  stretches.push_back({.begin = begin,
                       .end = end,
                       .first_entry = static_cast<uint32_t>(origins.size()),
                       .entries = 1,
                       .next = 0});
  if (stream.bytes == bytes) {
    stream.first = index;
  } else {
    stretches[stream.last].next = index;
  }
  stream.last = index;
  last_slot = slot;
}

uint32_t OpenBatch::PinSource(const std::shared_ptr<SourceProgress>& progress, std::size_t output,
                              uint64_t offset) {
  const auto [at, inserted] =
      pin_of.try_emplace(progress.get(), static_cast<uint32_t>(pins.size()));
  if (inserted) pins.push_back({progress, progress->Pin(output, offset)});
  return at->second;
}

void OpenBatch::Clear() {
  for (const Stream& stream : streams)
    stream.stream->slot = EncoderStream::kNotInBatch;
  open = false;
  line_bytes = 0;
  head_bytes = 0;
  entries.Clear();
  stretches.clear();
  streams.clear();
  origins.clear();
  holds.clear();
  pins.clear();
  pin_of.clear();
  source_serial = 0;
}

void OpenBatch::ReleaseMemory() {
  entries = GrowingBuffer();
  stretches = {};
  streams = {};
  origins = {};
  holds = {};
  pins = {};
}

}  // namespace agent::loki
