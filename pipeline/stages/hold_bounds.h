// What stages that keep lines back may take, and what is said when they have to give up something
// before its time.

#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/log.h"
#include "base/memory_budget.h"
#include "pipeline/shared_states.h"
#include "pipeline/stage.h"

namespace agent {

enum class HoldBound : uint8_t {
  kLength,     // One entry is too long to go on collecting.
  kMemory,     // All that stages keep back takes too much.
  kLabelSets,  // There are too many label sets to know the state of each.
};

// One for a stage and its copies in all workers. Thread-safe.
class HoldBounds final : public SharedState {
 public:
  // A stage remembers something of at most so many label sets, in each worker.
  static constexpr std::size_t kMaxLabelSets = 10'000;
  // One entry may take this much of what all may take.
  static std::size_t MaxEntryBytes(const MemoryBudget& held_memory) {
    return held_memory.limit() / 2;
  }

  static std::shared_ptr<HoldBounds> Of(const StageContext& context);

  HoldBounds(Logger& logger, std::string job, std::string stage)
      : logger_(logger), job_(std::move(job)), stage_(std::move(stage)) {}

  // The bound was reached: an entry comes out incomplete, or a label set is forgotten. Counted, and
  // logged at most once a minute.
  void Hit(HoldBound bound);

  void CollectMetrics(MetricSink& sink) const override;

 private:
  static constexpr std::size_t kBounds = 3;

  Logger& logger_;
  const std::string job_;
  const std::string stage_;
  std::array<std::atomic<uint64_t>, kBounds> hits_{};
};

}  // namespace agent
