// The systemd journal: its folders, and who may read them.

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

#include "agent/doctor/access.h"
#include "agent/doctor/subject.h"
#include "agent/receivers/journal/bus_guard.h"
#include "agent/receivers/journal/journal_files.h"

namespace agent::doctor {
namespace {

std::string JournalFix(const Refusal& refusal, const System& system) {
  if (refusal.error != EACCES || refusal.modes_allow)
    return AccessFix(refusal, Want::kList, system);
  return "usermod -aG systemd-journal " + Quoted(system.user) + "   # then start the agent anew";
}

void CheckJob(const Subject& subject, const ScrapeConfig& job, const Group& group) {
  const std::vector<std::string> roots = JournalRoots(job.journal->path);
  const std::string name = "job " + job.job_name + ": ";
  std::size_t there = 0;
  for (const std::string& root : roots) {
    const std::optional<Refusal> refusal = WhyRefused(root, Want::kList);
    if (refusal && refusal->error == ENOENT) continue;
    ++there;
    if (refusal) {
      group.Failure("journal.permission", name + refusal->Text(root),
                    {"nothing of it is read", JournalFix(*refusal, subject.system)});
    }
  }
  if (there == 0) {
    const std::string fix = subject.system.container
                                ? "docker run -v /var/log/journal:/var/log/journal:ro -v "
                                  "/etc/machine-id:/etc/machine-id:ro …, or hostPath volumes"
                                : "mkdir -p /var/log/journal && systemctl restart systemd-journald";
    std::string text = roots.front();
    for (std::size_t i = 1; i < roots.size(); ++i)
      AddWord(text, roots[i], " and ");
    group.Failure("journal.folder",
                  name + "there is no journal: " + text +
                      (roots.size() > 1 ? " are not there" : " is not there"),
                  {"nothing is read", fix});
    return;
  }
  const BusGuard guard;
  const JournalFiles files = CheckJournalFiles(roots);
  const auto forbidden =
      std::find_if(files.bad.begin(), files.bad.end(),
                   [](const BadJournalFile& f) { return f.error.code == ErrorCode::kPermission; });
  if (forbidden != files.bad.end()) {
    const std::optional<Refusal> refusal = WhyRefused(forbidden->path, Want::kRead);
    group.Failure(
        "journal.permission",
        name + (refusal ? refusal->Text(forbidden->path) : forbidden->error.message),
        {"its entries are not read", "usermod -aG systemd-journal " + Quoted(subject.system.user) +
                                         "   # then start the agent anew"});
  } else if (!files.bad.empty()) {
    group.Warning("journal.damaged",
                  name + files.bad.front().path + ": " + files.bad.front().error.message,
                  {"its entries are stepped over", "journalctl --verify"});
  }
  const std::string id = subject.system.Path("/etc/machine-id");
  struct stat info {};
  if (subject.system.container && ::stat(id.c_str(), &info) != 0) {
    group.Note("journal.machine_id", name + "/etc/machine-id is not there",
               {"", "docker run -v /etc/machine-id:/etc/machine-id:ro …"});
  }
  if (files.count == 0) {
    group.Warning(
        "journal.empty", name + "there is no file in " + roots.front(),
        {"nothing is read",
         "journalctl --flush   # does systemd-journald run? in a container: the host's folder"});
  } else if (files.bad.empty()) {
    group.Ok("journal.files", name + Count(files.count, "file") + " of the journal can be read");
  }
}

}  // namespace

void CheckJournal(const Subject& subject, Findings& findings) {
  const Group group(findings, "Journal");
  for (const ScrapeConfig& job : subject.config.scrape_configs) {
    if (job.journal) CheckJob(subject, job, group);
  }
}

}  // namespace agent::doctor
