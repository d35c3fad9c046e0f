// The batch of one tenant while it is being filled. Entries stand one after the other in the order
// in which they came, already in wire form; which stretch belongs to which stream is remembered,
// and they are put together by stream when the batch is closed. So a batch of ten thousand streams
// takes no more memory than one of a single stream.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "outputs/batch_origins.h"
#include "outputs/growing_buffer.h"
#include "outputs/loki/loki_counters.h"

namespace agent::loki {

struct OpenBatch;

// A stream, as an encoder knows it.
struct EncoderStream {
  static constexpr uint32_t kNotInBatch = ~uint32_t{0};

  std::string text;
  OpenBatch* batch = nullptr;  // Of its tenant; null: entries of this stream are dropped.
  TenantCounters* counters = nullptr;
  bool repaired = false;
  uint32_t slot = kNotInBatch;  // Among the open batch's streams.
};

struct OpenBatch {
  struct Stretch {  // Entries of one stream that follow one another.
    uint32_t begin = 0;
    uint32_t end = 0;
    uint32_t first_entry = 0;
    uint32_t entries = 0;
    uint32_t next = 0;  // Of the same stream; 0: none (the very first stretch follows none).
  };
  struct Stream {
    EncoderStream* stream = nullptr;
    std::size_t bytes = 0;  // Of its entries.
    uint32_t first = 0;
    uint32_t last = 0;
  };

  std::string tenant;
  TenantCounters* counters = nullptr;
  bool open = false;
  int64_t created_ns = 0;
  std::size_t line_bytes = 0;  // What `batchsize` limits.
  std::size_t head_bytes = 0;  // Of the streams' heads, at most.
  GrowingBuffer entries;
  std::vector<Stretch> stretches;
  std::vector<Stream> streams;
  uint32_t last_slot = 0;  // The stream of the last stretch.
  BatchOrigins origins;

  [[nodiscard]] std::size_t raw_bytes() const { return entries.size() + head_bytes; }
  // The memory that it takes, about.
  [[nodiscard]] std::size_t memory_bytes() const;

  // Notes that `bytes` at the buffer's end are an entry of that stream.
  void AddToStretch(uint32_t slot, std::size_t bytes);
  // Forgets everything but the memory.
  void Clear();
  // When clear: the memory too.
  void ReleaseMemory();
};

}  // namespace agent::loki
