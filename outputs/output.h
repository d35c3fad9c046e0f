// Delivers batches to one receiver: queues them by tenant, sends, retries, and settles each exactly
// once.

#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/label_sets.h"
#include "base/metrics/metrics.h"
#include "outputs/batch.h"
#include "outputs/encoder.h"
#include "outputs/output_totals.h"

namespace agent {

// What of a lane is on the disk.
struct LaneBuffer {
  uint64_t bytes = 0;  // Of its files.
  uint64_t batches = 0;
  uint64_t entries = 0;
  bool full = false;  // It takes nothing more.
};

// What a page or a test wants to know of one lane (an output, or one tenant of it).
struct LaneStatus {
  std::string tenant;
  std::size_t queued_batches = 0;
  std::size_t queued_bytes = 0;
  int64_t oldest_ns = 0;  // Monotonic time of its oldest unsettled batch; 0: none.
  // "idle", "sending", "retrying", "holding"; with a disk buffer also "spilling" (what comes goes
  // to the disk) and "draining" (what is on the disk goes out).
  std::string state;
  std::string last_error;                 // Empty while all is well.
  uint32_t attempts = 0;                  // Of the batch at the front.
  std::optional<LaneBuffer> buffer = {};  // None: it has no disk buffer.
};

// For pages.
struct OutputInfo {
  std::string kind = {};      // "loki", "elasticsearch", …
  std::string receiver = {};  // URLs or a path; without secrets.
};

// Loop thread, except where said otherwise.
class Output {
 public:
  virtual ~Output() = default;

  [[nodiscard]] virtual const std::string& name() const = 0;

  [[nodiscard]] virtual OutputInfo Info() const { return {}; }
  // Extracted values that its documents have, by name, for Entry::fields; "*": all of them.
  [[nodiscard]] virtual std::vector<std::string> WantedFields() const { return {}; }

  // One for each worker. Any thread while starting; the encoder then belongs to that worker. `sets`
  // are the worker's; `sink` is called on the worker's thread.
  virtual std::unique_ptr<Encoder> MakeEncoder(LabelSets& sets, BatchSink sink) = 0;

  // Takes a batch made by one of its encoders. Order is kept per tenant.
  virtual void Enqueue(Batch batch) = 0;

  // Nothing queued, nothing in flight.
  [[nodiscard]] virtual bool idle() const = 0;
  // Each lane sends what it has without waiting out a backoff longer than the rest of the deadline;
  // calls `done` when all is settled, or with the deadline; what is left has been abandoned then.
  virtual void Drain(std::chrono::milliseconds deadline, std::function<void()> done) = 0;

  [[nodiscard]] virtual std::vector<LaneStatus> Status() const = 0;
  [[nodiscard]] virtual OutputTotals Totals() const = 0;
  // Those that its kind alone has: not those of Status() and Totals().
  virtual void CollectMetrics(MetricSink& sink) const = 0;
};

}  // namespace agent
