// How long it takes from the moment in which a log is made (for a container: when it is started) to
// its first byte being read: agent_first_read_seconds.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "base/metrics/metrics.h"
#include "base/mutex.h"

namespace agent {

// Thread-safe. Once a file: a lock costs nothing.
class FirstReads {
 public:
  FirstReads();

  // The first byte of the file that is open as `fd` has been read. Counts only files that were made
  // while the agent ran, on file systems that know when.
  void Note(const std::string& job, int fd);

  void Collect(MetricSink& sink) const;

 private:
  static constexpr std::array<double, 11> kBounds = {0.001, 0.005, 0.01, 0.05, 0.1, 0.25,
                                                     0.5,   1,     2.5,  10,   60};
  struct Histogram {
    std::array<uint64_t, kBounds.size() + 1> counts{};
    double sum = 0;
  };

  // By the clock that file systems stamp files with. It lags behind the wall clock by a tick, and
  // on a loaded machine by several.
  const int64_t started_ns_;
  mutable Mutex mutex_;
  std::map<std::string, Histogram> by_job_ GUARDED_BY(mutex_);
};

}  // namespace agent
