// Entries encoded for one output, on their way from a worker to the receiver.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/memory_budget.h"
#include "base/source_progress.h"

namespace agent {

// Bytes that are made once and then only read.
struct Bytes {
  // Shared: a batch may be on its way to the receiver and to the disk at the same time.
  std::shared_ptr<char[]> data;
  std::size_t size = 0;
};

// One source's claim in a batch.
struct SourcePin {
  // Nothing is pinned: the pin only says which source it is.
  static constexpr SourceProgress::PinId kNameOnly = 0;

  std::shared_ptr<SourceProgress> progress;
  SourceProgress::PinId pin = kNameOnly;
};

// Where an entry of a batch came from; in the order in which entries stand in the body.
struct EntryOrigin {
  static constexpr uint32_t kNoPin = ~uint32_t{0};

  uint32_t pin = kNoPin;      // Index into Batch::pins; kNoPin: all its lines are in Batch::holds.
  uint32_t source_bytes = 0;  // Of its own line, for the ledger.
  uint64_t offset = 0;        // In the source.
};

// A line that was held back until an entry in the batch was complete.
struct BatchHold {
  uint32_t entry = 0;  // Index into Batch::origins.
  std::shared_ptr<HeldBytes> held;
};

struct Batch;

// Who has lent a batch to an output, and wants to know what became of it.
class BatchKeeper {
 public:
  virtual ~BatchKeeper() = default;
  // During Batch::Settle(). The batch is whole, but for its pins and holds.
  virtual void OnSettled(const Batch& batch, const std::vector<bool>& refused) = 0;
  // During Batch::Abandon().
  virtual void OnAbandoned(const Batch& batch) = 0;
};

struct Batch {
  std::size_t output = 0;      // Which output it is for, by index.
  std::string tenant;          // Empty: none.
  Bytes body;                  // As it goes on the wire (Loki: snappy-compressed protobuf).
  std::size_t raw_size = 0;    // Before compression.
  std::size_t line_bytes = 0;  // What Promtail counts as the batch's size.
  std::vector<SourcePin> pins;
  std::vector<EntryOrigin> origins;  // One per entry.
  std::vector<BatchHold> holds;
  // Entries that no receiver would take: they stand in the body, and go to the dead letter.
  std::vector<uint32_t> unsendable;
  MemoryBudget::Reservation memory;
  int64_t created_ns = 0;  // Monotonic; when its first entry came.
  // Outlives the batch; null: nobody.
  BatchKeeper* keeper = nullptr;
  uint64_t keeper_number = 0;  // By which the keeper knows it.

  [[nodiscard]] std::size_t entries() const { return origins.size(); }

  // All entries are delivered, but for those marked in `refused` (by index; empty: none), which are
  // lost for good. Ends the pins and holds. Any thread; once.
  void Settle(const std::vector<bool>& refused = {});
  // The batch is given up without an answer (shutdown, reload): its bytes stay unsettled and will
  // be read again. Any thread; once.
  void Abandon();
};

}  // namespace agent
