#include <filesystem>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "agent/doctor/files_check.h"
#include "tests/agent/doctor/doctor_bed.h"
#include "tests/support/temp_dir.h"

namespace agent::doctor {
namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::Equals;
using Strings = std::vector<std::string>;

// A machine whose kernel says what the test wants.
struct Machine {
  TempDir dir;
  System system;

  Machine(const std::string& watches, const std::string& instances) {
    system = System::Current();
    system.root = dir.path();
    system.user = "log-agent";
    system.container = false;
    WriteFile(dir.path() + "/proc/sys/fs/inotify/max_user_watches", watches + "\n");
    WriteFile(dir.path() + "/proc/sys/fs/inotify/max_user_instances", instances + "\n");
  }
  void Limit(const std::string& hard) const {
    WriteFile(dir.path() + "/proc/self/limits",
              "Limit                     Soft Limit           Hard Limit           Units     \n"
              "Max processes             100                  100                  processes \n"
              "Max open files            1024                 " +
                  hard + "                 files     \n");
  }
};

Survey SurveyOf(int folders, int files) {
  Survey survey;
  for (int i = 0; i < folders; ++i)
    survey.directories.insert("/none/" + std::to_string(i));
  survey.files.resize(static_cast<std::size_t>(files));
  return survey;
}

}  // namespace

TEST_CASE("doctor inotify: enough watches", "[doctor]") {
  const Machine machine("8192", "128");
  Findings findings;

  ReportInotify(machine.system, SurveyOf(10, 0), Group(findings, "Watching"));

  CHECK_THAT(Complaints(findings), Equals(Strings{}));
  CHECK_THAT(FindingOf(findings, "inotify.watches").text,
             Contains("8192 of 8192 watches are left"));
}

TEST_CASE("doctor inotify: more folders than watches are left", "[doctor]") {
  const Machine machine("100", "128");
  // A process of this user has ninety of them.
  const std::string process = machine.dir.path() + "/proc/4711";
  std::string info = "pos:\t0\n";
  for (int i = 0; i < 90; ++i)
    info += "inotify wd:1 ino:2 sdev:3 mask:4\n";
  WriteFile(process + "/fdinfo/5", info);
  std::filesystem::create_directories(process + "/fd");
  std::filesystem::create_symlink("anon_inode:inotify", process + "/fd/5");
  Findings findings;

  ReportInotify(machine.system, SurveyOf(20, 0), Group(findings, "Watching"));

  const Finding finding = FindingOf(findings, "inotify.watches");
  CHECK(finding.mark == Mark::kWarning);
  CHECK_THAT(finding.text, Contains("20 folders to be watched, but log-agent has 10 of 100"));
  CHECK_THAT(finding.fix, Contains("sysctl -w fs.inotify.max_user_watches=8192"));
}

TEST_CASE("doctor inotify: all instances are taken", "[doctor]") {
  const Machine machine("8192", "1");
  const std::string process = machine.dir.path() + "/proc/4711";
  WriteFile(process + "/fdinfo/5", "pos:\t0\n");
  std::filesystem::create_directories(process + "/fd");
  std::filesystem::create_symlink("anon_inode:inotify", process + "/fd/5");
  Findings findings;

  ReportInotify(machine.system, SurveyOf(1, 0), Group(findings, "Watching"));

  CHECK_THAT(FindingOf(findings, "inotify.instances").fix,
             Contains("sysctl -w fs.inotify.max_user_instances=512"));
}

TEST_CASE("doctor inotify: limits that cannot be read are a note", "[doctor]") {
  TempDir empty;
  System system = System::Current();
  system.root = empty.path();
  Findings findings;

  ReportInotify(system, SurveyOf(1, 0), Group(findings, "Watching"));

  CHECK_THAT(Complaints(findings), Equals(Strings{"note inotify.limits"}));
}

TEST_CASE("doctor descriptors: the hard limit counts", "[doctor]") {
  struct Case {
    const char* hard;
    int files;
    bool enough;
  };
  const auto c = GENERATE(values<Case>({{"1024", 400, true},
                                        {"1024", 600, false},
                                        {"524288", 3000, true},
                                        {"524288", 6000, true},
                                        {"unlimited", 600, true}}));
  INFO(c.hard << " for " << c.files);
  const Machine machine("8192", "128");
  machine.Limit(c.hard);
  Findings findings;

  ReportDescriptors(machine.system, SurveyOf(1, c.files), Group(findings, "Watching"));

  const Finding finding = FindingOf(findings, "descriptors.limit");
  CHECK((finding.mark == Mark::kOk) == c.enough);
  if (!c.enough) CHECK_THAT(finding.fix, Contains("LimitNOFILE=65536"));
}

TEST_CASE("doctor resources: the memory of the cgroup against the budget", "[doctor]") {
  struct Case {
    const char* limit;
    uint64_t budget;
    Mark want;
  };
  const auto c = GENERATE(values<Case>({{"max", 0, Mark::kOk},
                                        {"134217728", 0, Mark::kOk},
                                        {"33554432", 0, Mark::kWarning},
                                        {"67108864", uint64_t{64} << 20U, Mark::kFailure}}));
  INFO(c.limit);
  const Machine machine("1", "1");
  WriteFile(machine.dir.path() + "/proc/self/cgroup", "0::/system.slice/a.service\n");
  WriteFile(machine.dir.path() + "/sys/fs/cgroup/system.slice/a.service/memory.max", c.limit);
  Subject subject = SubjectOf({});
  subject.system = machine.system;
  subject.config.limits.memory_budget_bytes = c.budget;
  Findings findings;

  CheckResources(subject, findings);

  CHECK(FindingOf(findings, "resources.memory").mark == c.want);
}

TEST_CASE("doctor resources: processor time of the group and of those above it", "[doctor]") {
  const Machine machine("1", "1");
  WriteFile(machine.dir.path() + "/proc/self/cgroup", "0::/a/b\n");
  WriteFile(machine.dir.path() + "/sys/fs/cgroup/a/cpu.max", "2500 100000\n");
  WriteFile(machine.dir.path() + "/sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
  Subject subject = SubjectOf({});
  subject.system = machine.system;
  Findings findings;

  CheckResources(subject, findings);

  CHECK(FindingOf(findings, "resources.cpu").mark == Mark::kWarning);
  CHECK_THAT(FindingOf(findings, "resources.cpu").text, Contains("0.025 cores"));
}

}  // namespace agent::doctor
