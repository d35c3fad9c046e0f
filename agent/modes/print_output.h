// Prints entries instead of sending them: what --dry-run does. One line an entry:
//
//   TIMESTAMP<TAB>{labels}<TAB>LINE
//
// The time is local, as Promtail writes it (2006-01-02T15:04:05.999999999-0700, without trailing
// zeros of the fraction). Every entry counts as delivered once it is written.

#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/memory_budget.h"
#include "outputs/output.h"

namespace agent {

class PrintOutput final : public Output {
 public:
  // Entries go to descriptor `fd`, which stays the caller's; with colours when `color`. `closed` is
  // called once when nobody reads them any more.
  PrintOutput(int fd, bool color, std::size_t index, MemoryBudget& budget,
              std::function<void()> closed);

  [[nodiscard]] const std::string& name() const override { return name_; }
  std::unique_ptr<Encoder> MakeEncoder(LabelSets& sets, BatchSink sink) override;
  void Enqueue(Batch batch) override;
  [[nodiscard]] bool idle() const override { return true; }
  void Drain(std::chrono::milliseconds deadline, std::function<void()> done) override;
  [[nodiscard]] std::vector<LaneStatus> Status() const override { return {}; }
  void CollectMetrics(MetricSink& sink) const override;

  [[nodiscard]] uint64_t entries() const { return entries_; }

 private:
  const int fd_;
  const bool color_;
  const std::size_t index_;
  MemoryBudget& budget_;
  std::function<void()> closed_;
  const std::string name_ = "dry-run";
  uint64_t entries_ = 0;
};

// "2006-01-02T15:04:05.999999999-0700" of a time in nanoseconds since 1970, in the local zone.
std::string FormatEntryTime(int64_t ns);

}  // namespace agent
