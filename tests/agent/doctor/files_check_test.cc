#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "agent/doctor/survey.h"
#include "tests/agent/doctor/doctor_bed.h"
#include "tests/support/temp_dir.h"

namespace agent::doctor {
namespace {

using Strings = std::vector<std::string>;
using Catch::Matchers::Contains;
using Catch::Matchers::Equals;

// Others may come through it.
class OpenDir : public TempDir {
 public:
  OpenDir() { ::chmod(path().c_str(), 0755); }
};

Strings FileComplaints(const Findings& findings) {
  Strings complaints = Complaints(findings);
  std::erase_if(complaints,
                [](const std::string& c) { return c.find(" files.") == std::string::npos; });
  return complaints;
}

}  // namespace

TEST_CASE("doctor files: those that can be read are counted, and nothing is wrong", "[doctor]") {
  const OpenDir dir;
  WriteFile(dir.path() + "/a.log", "one\n");
  WriteFile(dir.path() + "/b.log", "two\n");
  Findings findings;

  RunAsNobody(SubjectOf({dir.path() + "/*.log"}), CheckFiles, findings);

  CHECK_THAT(FileComplaints(findings), Equals(Strings{}));
  CHECK_THAT(FindingOf(findings, "files.matches").text, Contains("2 files, 8 bytes"));
}

TEST_CASE("doctor files: one that may not be read is named with its owner and a command",
          "[doctor]") {
  const OpenDir dir;
  const std::string path = dir.path() + "/secret.log";
  WriteFile(path, "one\n");
  ::chmod(path.c_str(), 0600);
  Findings findings;

  RunAsNobody(SubjectOf({dir.path() + "/*.log"}), CheckFiles, findings);

  CHECK_THAT(FileComplaints(findings), Equals(Strings{"failure files.permission"}));
  const Finding finding = FindingOf(findings, "files.permission");
  CHECK_THAT(finding.text, Contains(path) && Contains("0600"));
  CHECK(finding.fix == "setfacl -m u:nobody:r " + path);
  CHECK_FALSE(finding.why.empty());
}

TEST_CASE("doctor files: many that fail alike are one finding", "[doctor]") {
  const OpenDir dir;
  for (int i = 0; i < 5; ++i) {
    const std::string path = dir.path() + "/" + std::to_string(i) + ".log";
    WriteFile(path, "x\n");
    ::chmod(path.c_str(), 0600);
  }
  Findings findings;

  RunAsNobody(SubjectOf({dir.path() + "/*.log"}), CheckFiles, findings);

  CHECK_THAT(FileComplaints(findings), Equals(Strings{"failure files.permission"}));
  CHECK_THAT(FindingOf(findings, "files.permission").text, Contains("and 4 more files"));
}

TEST_CASE("doctor files: a group that may read is what is to be joined", "[doctor]") {
  const OpenDir dir;
  const std::string path = dir.path() + "/auth.log";
  WriteFile(path, "x\n");
  if (::chown(path.c_str(), 0, 4) != 0) return;  // Only root can make such a file.
  ::chmod(path.c_str(), 0640);
  Findings findings;

  RunAsNobody(SubjectOf({path}), CheckFiles, findings);

  CHECK_THAT(FindingOf(findings, "files.permission").fix, Contains("usermod -aG adm nobody"));
}

TEST_CASE("doctor files: the folder on the way that refuses is named", "[doctor]") {
  const OpenDir dir;
  WriteFile(dir.path() + "/closed/app/a.log", "x\n");
  ::chmod((dir.path() + "/closed").c_str(), 0700);
  Findings findings;

  RunAsNobody(SubjectOf({dir.path() + "/closed/app/*.log"}), CheckFiles, findings);

  const Finding finding = FindingOf(findings, "files.folder");
  CHECK(finding.mark == Mark::kFailure);
  CHECK_THAT(finding.text, Contains("the folder " + dir.path() + "/closed refuses"));
  // No more than is needed: it has to be passed, and nothing in it is anybody's business.
  CHECK(finding.fix == "setfacl -m u:nobody:x " + dir.path() + "/closed");
}

TEST_CASE("doctor files: a link into a folder that is not mounted", "[doctor]") {
  const OpenDir dir;
  std::filesystem::create_symlink("/var/lib/docker/containers/none/none-json.log",
                                  dir.path() + "/pod.log");
  std::filesystem::create_symlink(dir.path() + "/pod.log", dir.path() + "/container.log");
  Subject subject = SubjectOf({dir.path() + "/container.log"});
  subject.system.container = true;
  Findings findings;

  CheckFiles(subject, findings);

  const Finding finding = FindingOf(findings, "files.link");
  CHECK(finding.mark == Mark::kFailure);
  CHECK_THAT(finding.text,
             Contains("container.log -> ") && Contains("-> /var/lib/docker/containers"));
  CHECK_THAT(finding.fix, Contains("-v /var/lib/docker/containers:/var/lib/docker/containers:ro"));
}

TEST_CASE("doctor files: a pattern that matches nothing, and one without its folder", "[doctor]") {
  const OpenDir dir;
  Findings findings;

  CheckFiles(SubjectOf({dir.path() + "/*.log", dir.path() + "/none/*.log"}), findings);

  CHECK_THAT(FileComplaints(findings),
             Equals(Strings{"warning files.none", "warning files.folder"}));
  CHECK_THAT(FindingOf(findings, "files.folder").text, Contains(dir.path() + "/none is not there"));
}

TEST_CASE("doctor files: archives among lines, and what the job says of it", "[doctor]") {
  struct Case {
    const char* name;
    std::string content;
    std::string compression;
    std::string encoding;
    const char* want;  // In the text; null: no complaint.
  };
  const std::string gzip("\x1f\x8b\x08\x00rest", 8);
  const auto c = GENERATE_COPY(values<Case>({
      {"gzip", gzip, "", "", "a gzip archive that is read as lines"},
      {"gzip, expected", gzip, "gz", "", nullptr},
      {"plain, gzip expected", "text\n", "gz", "", "plain text, but the job expects gz"},
      {"zstd", "\x28\xb5\x2f\xfd rest", "", "", "a zstd archive"},
      {"UTF-16", std::string("\xff\xfeh\0i\0", 6), "", "", "UTF-16 text"},
      {"UTF-16, said", std::string("\xff\xfeh\0i\0", 6), "", "UTF-16", nullptr},
      {"program",
       std::string("\x7f"
                   "ELF\x02\x01\x01",
                   7),
       "", "", "a program"},
      {"zeros", std::string(100, '\0'), "", "", "binary"},
      {"colours and tabs", "\x1b[31mred\x1b[0m\tx\n", "", "", nullptr},
      {"UTF-8", "grüße\n", "", "", nullptr},
  }));
  INFO(c.name);
  const OpenDir dir;
  WriteFile(dir.path() + "/a.log", c.content);
  Subject subject = SubjectOf({dir.path() + "/a.log"});
  subject.targets.patterns[0].compression = c.compression;
  subject.targets.patterns[0].encoding = c.encoding;
  Findings findings;

  CheckFiles(subject, findings);

  const Finding finding = FindingOf(findings, "files.kind");
  if (c.want == nullptr) {
    CHECK(finding.text.empty());
  } else {
    CHECK_THAT(finding.text, Contains(c.want));
    CHECK_FALSE(finding.fix.empty());
  }
}

TEST_CASE("doctor files: one that two jobs read, and one that is no file", "[doctor]") {
  const OpenDir dir;
  WriteFile(dir.path() + "/a.log", "x\n");
  REQUIRE(::mkfifo((dir.path() + "/pipe.log").c_str(), 0600) == 0);
  Subject subject = SubjectOf({dir.path() + "/*.log", dir.path() + "/a.log"});
  subject.targets.patterns[1].job = "other";
  Findings findings;

  CheckFiles(subject, findings);

  CHECK_THAT(FileComplaints(findings), Equals(Strings{"note files.twice", "note files.special"}));
}

TEST_CASE("doctor files: a job whose targets are all left out names the rule", "[doctor]") {
  Subject subject = SubjectOf({});
  auto dropped = std::make_shared<DroppedTarget>();
  dropped->reason = "dropped";
  dropped->detail = "relabel_configs[1] (action keep)";
  subject.targets.jobs[0].dropped.push_back(dropped);
  Findings findings;

  CheckFiles(subject, findings);

  CHECK_THAT(FindingOf(findings, "files.targets").text,
             Contains("relabel_configs[1] (action keep)"));
}

}  // namespace agent::doctor
