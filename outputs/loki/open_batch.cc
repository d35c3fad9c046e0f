#include "outputs/loki/open_batch.h"

namespace agent::loki {
std::size_t OpenBatch::memory_bytes() const {
  if (!open) return 0;
  return raw_bytes() + stretches.size() * sizeof(Stretch) + streams.size() * sizeof(Stream) +
         origins.memory_bytes();
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

void OpenBatch::Clear() {
  for (const Stream& stream : streams)
    stream.stream->slot = EncoderStream::kNotInBatch;
  open = false;
  line_bytes = 0;
  head_bytes = 0;
  entries.Clear();
  stretches.clear();
  streams.clear();
  origins.Clear();
}

void OpenBatch::ReleaseMemory() {
  entries = GrowingBuffer();
  stretches = {};
  streams = {};
  origins.ReleaseMemory();
}

}  // namespace agent::loki
