#include "agent/tail/first_reads.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <ctime>
#include <iterator>

#include "base/clock.h"

namespace agent {
namespace {

int64_t TimeOf(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return int64_t{now.tv_sec} * kNanosPerSecond + now.tv_nsec;
}

// 0 where the file system does not say.
int64_t BirthTime(int fd) {
  struct statx info {};
  if (::statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &info) != 0) return 0;
  if ((info.stx_mask & STATX_BTIME) == 0) return 0;
  return info.stx_btime.tv_sec * kNanosPerSecond + info.stx_btime.tv_nsec;
}

}  // namespace

FirstReads::FirstReads() : started_ns_(TimeOf(CLOCK_REALTIME_COARSE)) {}

void FirstReads::Note(const std::string& job, int fd) {
  const int64_t born_ns = BirthTime(fd);
  if (born_ns < started_ns_) return;
  const int64_t age_ns = std::max<int64_t>(0, TimeOf(CLOCK_REALTIME) - born_ns);
  const double seconds = static_cast<double>(age_ns) / static_cast<double>(kNanosPerSecond);
  const MutexLock lock(mutex_);
  Histogram& histogram = by_job_[job];
  const auto* const bucket = std::lower_bound(kBounds.begin(), kBounds.end(), seconds);
  ++histogram.counts[static_cast<std::size_t>(std::distance(kBounds.begin(), bucket))];
  histogram.sum += seconds;
}

void FirstReads::Collect(MetricSink& sink) const {
  const MutexLock lock(mutex_);
  for (const auto& [job, histogram] : by_job_) {
    sink.AddHistogram("agent_first_read_seconds", {job},
                      {.bounds = kBounds, .counts = histogram.counts, .sum = histogram.sum});
  }
}

}  // namespace agent
