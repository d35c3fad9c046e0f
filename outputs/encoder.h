// Turns entries into batches for one output, on a worker's thread: an entry is appended in the
// output's wire form as it comes; a flush is concatenation and compression.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "base/entry.h"
#include "base/source_progress.h"
#include "outputs/batch.h"

namespace agent {

class Encoder {
 public:
  virtual ~Encoder() = default;

  // The entries that follow come from this source.
  virtual void BeginSource(std::shared_ptr<SourceProgress> progress) = 0;
  // Appends. Batches that become full go to the sink during the call. Everything that `entry`
  // points to may be gone afterwards. `now_ns` is monotonic.
  virtual void Add(const Entry& entry, int64_t now_ns) = 0;
  // When the oldest open batch is due (batchwait), monotonic; nullopt: nothing is open.
  [[nodiscard]] virtual std::optional<int64_t> NextDeadline() const = 0;
  // Hands over the open batches that are due at `now_ns`; all of them for INT64_MAX.
  virtual void Flush(int64_t now_ns) = 0;
  // Forgets open batches; their bytes will be read again.
  virtual void Abandon() = 0;
  // Bytes in open batches; the worker counts them in the memory budget.
  [[nodiscard]] virtual std::size_t open_bytes() const = 0;
};

// Where finished batches go. Called on the worker's thread.
using BatchSink = std::function<void(Batch)>;

}  // namespace agent
