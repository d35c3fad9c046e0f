#include "agent/tail/first_reads.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <fstream>
#include <string>

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

}  // namespace

TEST_CASE("first reads: logs made while the agent runs are counted by job", "[tail]") {
  const TempDir dir;
  const UniqueFd older = Make(dir.path() + "/older.log");
  if (!KnowsBirth(older.get())) return;  // Nothing is counted on such a file system.
  // The kernel's clock for files goes in ticks: until the next one both would be of one moment.
  struct statx info {};
  REQUIRE(::statx(older.get(), "", AT_EMPTY_PATH, STATX_BTIME, &info) == 0);
  timespec now{};
  do {
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
  } while (now.tv_sec == info.stx_btime.tv_sec &&
           now.tv_nsec == static_cast<long>(info.stx_btime.tv_nsec));

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
