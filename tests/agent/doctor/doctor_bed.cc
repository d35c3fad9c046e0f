#include "tests/agent/doctor/doctor_bed.h"

#include <grp.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>

#include "base/check.h"

namespace agent::doctor {
namespace {

constexpr uid_t kNobody = 65534;
constexpr char kField = '\x1f';
constexpr char kEnd = '\x1e';

std::string Packed(const Finding& finding) {
  std::string text = std::to_string(static_cast<int>(finding.mark));
  for (const std::string* part :
       {&finding.group, &finding.check, &finding.text, &finding.why, &finding.fix})
    text += kField + *part;
  return text + kEnd;
}

Finding Unpacked(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(kField, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  AGENT_CHECK(parts.size() == 6);
  return {static_cast<Mark>(std::stoi(parts[0])), parts[1], parts[2], parts[3], parts[4], parts[5]};
}

// In the child.
[[noreturn]] void BecomeNobodyAndRun(Subject subject, Check check, int out) {
  if (::geteuid() == 0 &&
      (::setgroups(0, nullptr) != 0 || ::setgid(kNobody) != 0 || ::setuid(kNobody) != 0)) {
    ::_exit(1);
  }
  subject.system.uid = ::geteuid();
  subject.system.gid = ::getegid();
  subject.system.user = "nobody";
  Findings findings;
  check(subject, findings);
  std::string text;
  for (const Finding& finding : findings.all())
    text += Packed(finding);
  const bool written = ::write(out, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  ::_exit(written ? 0 : 1);
}

}  // namespace

void WriteFile(const std::string& path, const std::string& content) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << content;
}

Finding FindingOf(const Findings& findings, const std::string& check) {
  for (const Finding& finding : findings.all()) {
    if (finding.check == check) return finding;
  }
  return {};
}

std::vector<std::string> Complaints(const Findings& findings) {
  std::vector<std::string> complaints;
  for (const Finding& finding : findings.all()) {
    if (finding.mark != Mark::kOk)
      complaints.push_back(std::string(MarkName(finding.mark)) + " " + finding.check);
  }
  return complaints;
}

Subject SubjectOf(const std::vector<std::string>& patterns) {
  Subject subject;
  subject.system = System::Current();
  subject.system.container = false;
  subject.host = "test";
  KnownTargets::Job job;
  job.name = "app";
  for (const std::string& pattern : patterns) {
    auto target = std::make_shared<Target>();
    target->job = "app";
    target->path = pattern;
    target->labels = {{"job", "app"}};
    job.targets.push_back(target);
    FilePattern file;
    file.job = "app";
    file.path = pattern;
    subject.targets.patterns.push_back(file);
  }
  subject.targets.jobs.push_back(job);
  return subject;
}

void RunAsNobody(const Subject& subject, Check check, Findings& findings) {
  std::array<int, 2> ends{};
  AGENT_CHECK(::pipe(ends.data()) == 0);
  const pid_t child = ::fork();
  if (child == 0) BecomeNobodyAndRun(subject, check, ends[1]);
  ::close(ends[1]);
  std::string text;
  std::array<char, 4096> buffer{};
  for (ssize_t got = 0; (got = ::read(ends[0], buffer.data(), buffer.size())) > 0;)
    text.append(buffer.data(), static_cast<std::size_t>(got));
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  AGENT_CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find(kEnd, begin);
    findings.Add(Unpacked(text.substr(begin, end - begin)));
    begin = end + 1;
  }
}

}  // namespace agent::doctor
