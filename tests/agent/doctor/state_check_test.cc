#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "agent/doctor/folder_probe.h"
#include "base/unique_fd.h"
#include "tests/agent/doctor/doctor_bed.h"
#include "tests/support/temp_dir.h"

namespace agent::doctor {
namespace {

using Catch::Matchers::Contains;

Subject WithPositions(const std::string& path) {
  Subject subject = SubjectOf({});
  subject.config.positions.filename = path;
  return subject;
}

std::size_t NamesIn(const std::string& folder) {
  std::size_t names = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder))
    ++names;
  return names;
}

}  // namespace

TEST_CASE("doctor state: a folder that can be written, and nothing is left in it", "[doctor]") {
  const TempDir dir;
  Findings findings;

  CheckState(WithPositions(dir.path() + "/positions.yaml"), findings);

  CHECK(FindingOf(findings, "state.positions").mark == Mark::kOk);
  CHECK(NamesIn(dir.path()) == 0);
}

TEST_CASE("doctor state: a folder that can be made is not made", "[doctor]") {
  const TempDir dir;
  Findings findings;

  CheckState(WithPositions(dir.path() + "/a/b/positions.yaml"), findings);

  CHECK_THAT(FindingOf(findings, "state.positions").text, Contains("can be made"));
  CHECK(NamesIn(dir.path()) == 0);
}

TEST_CASE("doctor state: a folder of somebody else", "[doctor]") {
  const TempDir dir;
  ::chmod(dir.path().c_str(), 0755);
  Findings findings;

  RunAsNobody(WithPositions(dir.path() + "/state/positions.yaml"), CheckState, findings);

  const Finding finding = FindingOf(findings, "state.positions");
  if (::geteuid() != 0) return;  // It is not somebody else's then.
  CHECK(finding.mark == Mark::kFailure);
  CHECK(finding.fix == "install -d -m 0750 -o nobody " + dir.path() + "/state");
}

TEST_CASE("doctor state: nobody is told to give away a folder of the system", "[doctor]") {
  if (::geteuid() != 0) return;  // It may be writable then.
  Findings findings;

  RunAsNobody(WithPositions("/var/log/positions.yaml"), CheckState, findings);

  CHECK_THAT(FindingOf(findings, "state.positions").fix,
             Contains("install -d -m 0750 -o nobody /var/lib/log-agent"));
}

TEST_CASE("doctor state: a file stands where the folder should be", "[doctor]") {
  const TempDir dir;
  WriteFile(dir.path() + "/state", "x");
  Findings findings;

  CheckState(WithPositions(dir.path() + "/state/positions.yaml"), findings);

  CHECK(FindingOf(findings, "state.positions").mark == Mark::kFailure);
}

TEST_CASE("doctor state: positions in memory are a warning", "[doctor]") {
  const std::filesystem::path memory = "/dev/shm";
  if (ProbeFolder(memory.string()).file_system != "tmpfs") return;
  const TempDir dir(memory);
  Findings findings;

  CheckState(WithPositions(dir.path() + "/positions.yaml"), findings);

  CHECK(FindingOf(findings, "state.positions.lasting").mark == Mark::kWarning);
}

TEST_CASE("doctor state: a buffer that is larger than the disk", "[doctor]") {
  const TempDir dir;
  Subject subject = WithPositions(dir.path() + "/positions.yaml");
  ClientConfig client;
  client.name = "loki";
  client.buffer.type = BufferType::kDisk;
  client.buffer.max_size_bytes = uint64_t{1} << 60U;
  subject.config.clients.push_back(client);
  Findings findings;

  CheckState(subject, findings);

  const Finding finding = FindingOf(findings, "state.buffer.space");
  CHECK(finding.mark == Mark::kWarning);
  CHECK_THAT(finding.text, Contains("buffer of loki may grow to"));
  CHECK_THAT(finding.fix, Contains("max_size"));
}

TEST_CASE("doctor state: the lock of an agent that runs is seen, and not taken", "[doctor]") {
  const TempDir dir;
  const std::string positions = dir.path() + "/positions.yaml";
  WriteFile(positions + ".lock", "4711\n");
  const UniqueFd lock(::open((positions + ".lock").c_str(), O_RDWR | O_CLOEXEC));
  Findings before;
  Findings held;

  CheckState(WithPositions(positions), before);
  REQUIRE(::flock(lock.get(), LOCK_EX | LOCK_NB) == 0);
  CheckState(WithPositions(positions), held);

  CHECK(FindingOf(before, "state.lock").text.empty());
  CHECK_THAT(FindingOf(held, "state.lock").text,
             Contains("pid " + std::to_string(::getpid())) && Contains("runs with " + positions));
}

TEST_CASE("doctor state: positions that may not be read", "[doctor]") {
  const TempDir dir;
  ::chmod(dir.path().c_str(), 0777);
  WriteFile(dir.path() + "/positions.yaml", "positions: {}\n");
  ::chmod((dir.path() + "/positions.yaml").c_str(), 0600);
  Findings findings;

  RunAsNobody(WithPositions(dir.path() + "/positions.yaml"), CheckState, findings);

  if (::geteuid() != 0) return;
  bool failed = false;
  for (const Finding& finding : findings.all()) {
    const bool its = finding.check == "state.positions" && finding.mark == Mark::kFailure;
    failed = failed || (its && finding.fix.starts_with("chown nobody "));
  }
  CHECK(failed);
}

}  // namespace agent::doctor
