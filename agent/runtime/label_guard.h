// Keeps the number of a label's values in check, at the end of a job's pipeline: counts them, says
// so when there are too many, and deals with new values beyond the limit as configured.
//
// A label set costs something when a worker meets it for the first time; from then on a line costs
// an index into a table.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "agent/config/config.h"
#include "agent/runtime/label_values.h"
#include "base/label_sets.h"
#include "base/log.h"
#include "pipeline/block.h"

namespace agent {

// Used by one worker's thread.
class LabelGuard {
 public:
  struct Options {
    std::string job;
    std::size_t max_values = 0;  // Of one label; more than 0.
    OnExcess on_excess = OnExcess::kNone;
  };
  // `sets` and `logger` outlive the guard. `values` is shared by the job's workers, and by the job
  // of the same name after a reload.
  LabelGuard(Options options, LabelSets& sets, std::shared_ptr<JobLabelValues> values,
             Logger& logger);

  // Looks at the first `entries` live entries.
  void Apply(Block& block, std::size_t entries);

  // The labels of a target count, and are never acted upon, as long as what is returned is there.
  [[nodiscard]] std::unique_ptr<JobLabelValues::Targets> Hold(const Labels& labels) {
    return std::make_unique<JobLabelValues::Targets>(*values_, labels);
  }

  // How many buckets there are: "bucket_00" to "bucket_31".
  static constexpr uint64_t kBuckets = 32;
  static std::string BucketOf(std::string_view value);

 private:
  struct Step {
    LabelSetId to = kEmptyLabelSet;
    bool known = false;
  };

  void Meet(LabelSetId id);
  [[nodiscard]] LabelSetId Changed(LabelSetId id,
                                   const std::vector<JobLabelValues::Excess>& too_many);
  void Warn(const Labels& labels, const JobLabelValues::Excess& excess);
  void MoveToMetadata(Block& block, EntryIndex entry, LabelSetId from, LabelSetId to) const;

  const Options options_;
  LabelSets& sets_;
  const std::shared_ptr<JobLabelValues> values_;
  Logger& logger_;
  uint64_t epoch_;
  std::vector<Step> steps_;  // By label set.
};

}  // namespace agent
