// Prints entries instead of sending them: what --dry-run does. One line an entry:
//
//   TIMESTAMP<TAB>{labels}<TAB>LINE
//
// The time is local, as Promtail writes it (2006-01-02T15:04:05.999999999-0700, without trailing
// zeros of the fraction). Every entry counts as delivered once it is written. What an inspector
// tells of it is written right before it, to another descriptor: on a terminal one stands above the
// other.

#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/modes/inspect/inspector.h"
#include "base/memory_budget.h"
#include "outputs/output.h"

namespace agent {

struct PrintOptions {
  int entries_fd = -1;  // Both stay the caller's.
  int stories_fd = -1;  // What an inspector tells.
  bool color = false;   // Of entries.
  // Of the one worker that there is then; null: nothing is told. Not owned.
  Inspector* inspector = nullptr;
};

class PrintOutput final : public Output {
 public:
  // `closed` is called once when nobody reads the entries any more.
  PrintOutput(const PrintOptions& options, std::size_t index, MemoryBudget& budget,
              std::function<void()> closed);

  [[nodiscard]] const std::string& name() const override { return name_; }
  std::unique_ptr<Encoder> MakeEncoder(LabelSets& sets, BatchSink sink) override;
  void Enqueue(Batch batch) override;
  [[nodiscard]] bool idle() const override { return true; }
  void Drain(std::chrono::milliseconds deadline, std::function<void()> done) override;
  [[nodiscard]] std::vector<LaneStatus> Status() const override { return {}; }
  [[nodiscard]] OutputTotals Totals() const override;
  void CollectMetrics(MetricSink& sink) const override;

  [[nodiscard]] uint64_t entries() const { return entries_; }

 private:
  const PrintOptions options_;
  const std::size_t index_;
  MemoryBudget& budget_;
  std::function<void()> closed_;
  const std::string name_ = "dry-run";
  uint64_t entries_ = 0;
};

}  // namespace agent
