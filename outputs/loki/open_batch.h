// The batch of one tenant while it is being filled. Entries stand one after the other in the order
// in which they came, already in wire form; which stretch belongs to which stream is remembered,
// and they are put together by stream when the batch is closed. So a batch of ten thousand streams
// takes no more memory than one of a single stream.

#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/entry.h"
#include "base/source_progress.h"
#include "outputs/batch.h"
#include "outputs/loki/loki_counters.h"

namespace agent::loki {

// Grows in place where the allocator can; keeps what it has when cleared.
class GrowingBuffer {
 public:
  // Room for `more` bytes at end().
  void Ensure(std::size_t more) {
    if (size_ + more > capacity_) Grow(more);
  }
  [[nodiscard]] char* end() { return data_.get() + size_; }
  [[nodiscard]] const char* data() const { return data_.get(); }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }
  void Extend(std::size_t written) { size_ += written; }
  void Clear() { size_ = 0; }

 private:
  struct Free {
    void operator()(char* data) const { std::free(data); }
  };
  void Grow(std::size_t more);

  std::unique_ptr<char[], Free> data_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

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
  std::vector<EntryOrigin> origins;
  std::vector<BatchHold> holds;
  std::vector<SourcePin> pins;
  std::unordered_map<const SourceProgress*, uint32_t> pin_of;
  uint64_t source_serial = 0;  // Which BeginSource() `pin` is good for; 0: none.
  uint32_t pin = 0;

  [[nodiscard]] std::size_t raw_bytes() const { return entries.size() + head_bytes; }
  // The memory that it takes, about.
  [[nodiscard]] std::size_t memory_bytes() const;

  // Notes that `bytes` at the buffer's end are an entry of that stream.
  void AddToStretch(uint32_t slot, std::size_t bytes);
  // Index of the pin of `progress`, which is pinned at `offset` if it has none here.
  uint32_t PinSource(const std::shared_ptr<SourceProgress>& progress, std::size_t output,
                     uint64_t offset);
  // Forgets everything but the memory.
  void Clear();
  // When clear: the memory too.
  void ReleaseMemory();
};

}  // namespace agent::loki
