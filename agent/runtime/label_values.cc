#include "agent/runtime/label_values.h"

#include <xxhash.h>

#include <algorithm>

#include "base/check.h"
#include "base/utf8.h"

namespace agent {
namespace {

constexpr std::size_t kMaxSampleBytes = 64;
constexpr uint64_t kMeetsPerEstimate = 256;

uint64_t HashOf(const std::string& value) {
  return XXH3_64bits(value.data(), value.size());
}

bool IsCounted(const Label& label) {
  return !label.name.starts_with("__");
}

// What can be shown: short, and whole characters.
std::string Sample(const std::string& value) {
  std::string sample;
  AppendSanitized(value.substr(0, kMaxSampleBytes), sample);
  return value.size() > kMaxSampleBytes ? sample + "..." : sample;
}

}  // namespace

bool JobLabelValues::Admits(Values& values, uint64_t hash, std::size_t limit) {
  if (values.targets.contains(hash) || values.admitted.contains(hash)) return true;
  if (values.targets.size() + values.admitted.size() < limit) {
    values.admitted.insert(hash);
    return true;
  }
  if (values.excess == nullptr) values.excess = std::make_unique<DistinctCount>();
  values.excess->Add(hash);
  return false;
}

std::vector<JobLabelValues::Excess> JobLabelValues::Meet(const Labels& labels, std::size_t limit) {
  std::vector<Excess> too_many;
  const MutexLock lock(mutex_);
  for (const Label& label : labels) {
    if (!IsCounted(label)) continue;
    Values& values = labels_[label.name];
    if (Admits(values, HashOf(label.value), limit)) continue;
    // Estimating costs more than all the rest.
    if (values.exceeded++ % kMeetsPerEstimate == 0) values.estimate = values.excess->Estimate();
    values.sample = Sample(label.value);
    const uint64_t within = values.targets.size() + values.admitted.size();
    too_many.push_back({label.name, within + std::max<uint64_t>(1, values.estimate)});
  }
  return too_many;
}

void JobLabelValues::AddTarget(const Labels& labels) {
  const MutexLock lock(mutex_);
  for (const Label& label : labels) {
    if (IsCounted(label)) ++labels_[label.name].targets[HashOf(label.value)];
  }
}

void JobLabelValues::RemoveTarget(const Labels& labels) {
  const MutexLock lock(mutex_);
  for (const Label& label : labels) {
    if (!IsCounted(label)) continue;
    auto& targets = labels_[label.name].targets;
    const auto at = targets.find(HashOf(label.value));
    CHECK(at != targets.end());
    if (--at->second == 0) targets.erase(at);
  }
}

std::vector<LabelValuesStatus> JobLabelValues::Status() const {
  std::vector<LabelValuesStatus> all;
  const MutexLock lock(mutex_);
  for (const auto& [name, values] : labels_) {
    LabelValuesStatus status;
    status.name = name;
    status.from_targets = values.targets.size();
    status.values = values.targets.size();
    // A line may have made a value before a target brought it.
    const auto& targets = values.targets;
    status.values += static_cast<uint64_t>(
        std::count_if(values.admitted.begin(), values.admitted.end(),
                      [&targets](uint64_t hash) { return !targets.contains(hash); }));
    if (values.excess != nullptr) status.values += std::max<uint64_t>(1, values.excess->Estimate());
    status.exceeded = values.exceeded;
    status.sample = values.sample;
    all.push_back(std::move(status));
  }
  return all;
}

std::shared_ptr<JobLabelValues> LabelValues::Of(const std::string& job) {
  auto& values = jobs_[job];
  if (values == nullptr) values = std::make_shared<JobLabelValues>();
  return values;
}

const JobLabelValues* LabelValues::Find(const std::string& job) const {
  const auto at = jobs_.find(job);
  return at != jobs_.end() ? at->second.get() : nullptr;
}

void LabelValues::Keep(const std::vector<std::string>& jobs) {
  std::erase_if(jobs_, [&jobs](const auto& known) {
    return std::find(jobs.begin(), jobs.end(), known.first) == jobs.end();
  });
}

}  // namespace agent
