// How many values each label of a job has: a label with ever new values (a request id, a user)
// makes a stream of nearly every line, and a Loki slow. Exact up to a limit, about beyond it.
//
// Values that a target brings are counted while there is such a target, and never refused; values
// that lines make are counted since the start, over reloads too.

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/distinct_count.h"
#include "base/labels.h"
#include "base/mutex.h"

namespace agent {

// A label of a job, for pages and metrics.
struct LabelValuesStatus {
  std::string name;
  uint64_t values = 0;        // Different ones.
  uint64_t from_targets = 0;  // Of these.
  // Label sets with a value that came after the limit was reached; each worker meets a set once,
  // and again after it was forgotten.
  uint64_t exceeded = 0;
  std::string sample;  // The latest such value, cut when it is long; empty: none.
};

// Thread-safe: shared by the workers of a job. Asked for label sets that a worker has not met yet.
class JobLabelValues {
 public:
  // The labels of a target, while it is there.
  class Targets;

  // A label whose value is one too many.
  struct Excess {
    std::string name;
    uint64_t values = 0;  // Different ones, about.
  };
  // Counts the values of a label set. Returns the labels whose value came after there were `limit`
  // others. Names that begin with "__" are not counted, they make no stream.
  std::vector<Excess> Meet(const Labels& labels, std::size_t limit);
  void AddTarget(const Labels& labels);
  void RemoveTarget(const Labels& labels);

  // Sorted by name.
  [[nodiscard]] std::vector<LabelValuesStatus> Status() const;

 private:
  struct Values {
    std::unordered_map<uint64_t, uint32_t> targets;  // By hash: of how many targets.
    std::unordered_set<uint64_t> admitted;           // Of lines, within the limit.
    std::unique_ptr<DistinctCount> excess;           // Of lines, beyond it; null: none.
    uint64_t estimate = 0;                           // Of `excess`, not always the latest.
    uint64_t exceeded = 0;
    std::string sample;
  };
  [[nodiscard]] static bool Admits(Values& values, uint64_t hash, std::size_t limit);

  mutable Mutex mutex_;
  std::map<std::string, Values, std::less<>> labels_ GUARDED_BY(mutex_);
};

// Holds the labels of a target in the count.
class JobLabelValues::Targets {
 public:
  // `values` outlives this.
  Targets(JobLabelValues& values, Labels labels) : values_(values), labels_(std::move(labels)) {
    values_.AddTarget(labels_);
  }
  Targets(const Targets&) = delete;
  Targets& operator=(const Targets&) = delete;
  ~Targets() { values_.RemoveTarget(labels_); }

 private:
  JobLabelValues& values_;
  const Labels labels_;
};

// Of all jobs, by name. Outlives the workers of every configuration, so that a reload does not
// count anew. Loop thread.
class LabelValues {
 public:
  // Shared with the workers, which may end later than the job is forgotten.
  std::shared_ptr<JobLabelValues> Of(const std::string& job);
  // Null when there is none of that name.
  [[nodiscard]] const JobLabelValues* Find(const std::string& job) const;
  // Forgets the jobs that are not in `jobs`.
  void Keep(const std::vector<std::string>& jobs);

 private:
  std::map<std::string, std::shared_ptr<JobLabelValues>> jobs_;
};

}  // namespace agent
