#include "agent/tail/first_reads.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <ctime>
#include <fstream>
#include <string>
#include <tuple>

#include <catch2/catch.hpp>

#include "base/unique_fd.h"
#include "tests/support/recording_metrics.h"
#include "tests/support/temp_dir.h"

namespace agent {
namespace {

UniqueFd Make(const std::string& path) {
  std::ofstream(path) << "line\n";
  return UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
}

bool KnowsBirth(int fd) {
  struct statx info {};
  return ::statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &info) == 0 &&
         (info.stx_mask & STATX_BTIME) != 0;
}

// The clock of files may go in ticks: what is made after this is younger than what was made before.
void WaitForTick() {
  timespec made{};
  clock_gettime(CLOCK_REALTIME, &made);
  timespec tick{};
  do {
    clock_gettime(CLOCK_REALTIME_COARSE, &tick);
  } while (std::tie(tick.tv_sec, tick.tv_nsec) <= std::tie(made.tv_sec, made.tv_nsec));
}

}  // namespace

TEST_CASE("first reads: logs made while the agent runs are counted by job", "[tail]") {
  const TempDir dir;
  const UniqueFd older = Make(dir.path() + "/older.log");
  if (!KnowsBirth(older.get())) return;  // Nothing is counted on such a file system.

  WaitForTick();

  FirstReads reads;
  reads.Note("a", older.get());
  const UniqueFd newer = Make(dir.path() + "/newer.log");
  reads.Note("a", newer.get());
  reads.Note("b", newer.get());

  RecordingMetrics metrics;
  reads.Collect(metrics);
  CHECK(metrics.Value("agent_first_read_seconds_count a") == 1);
  CHECK(metrics.Value("agent_first_read_seconds_count b") == 1);
}

}  // namespace agent
