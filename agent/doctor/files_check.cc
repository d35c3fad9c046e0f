// Files: what the patterns match, what may not be read, what is no text.

#include "agent/doctor/files_check.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "agent/doctor/subject.h"
#include "agent/tail/glob.h"

namespace agent::doctor {
namespace {

constexpr std::size_t kMaxGroups = 12;  // Of findings of one kind.

std::string JobText(const FilePattern& pattern) {
  return "job " + pattern.job + ": ";
}

// The part of a pattern before its first wildcard, as a folder.
std::string FixedFolder(const std::string& pattern) {
  const std::string path = AbsolutePath(pattern);
  const std::size_t wild = path.find_first_of("*?[{\\");
  if (wild == std::string::npos) return std::string(DirName(path));
  const std::size_t slash = path.rfind('/', wild);
  return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

// A path without a wildcard: its file.
void CheckAbsentFile(const Subject& subject, const FilePattern& pattern, const Group& group) {
  const std::string path = AbsolutePath(pattern.path);
  const std::optional<Refusal> refusal = WhyRefused(path, Want::kRead);
  if (!refusal) {
    group.Warning("files.none", JobText(pattern) + path + " is no regular file",
                  {"nothing is read", "ls -ld " + Quoted(path)});
    return;
  }
  const std::string text = JobText(pattern) + refusal->Text(path);
  const std::string fix = AccessFix(*refusal, Want::kRead, subject.system);
  struct stat link {};
  if (refusal->error != ENOENT) {
    group.Failure("files.permission", text, {"its lines are never shipped", fix});
  } else if (::lstat(path.c_str(), &link) == 0) {
    group.Failure("files.link", text, {"nothing is read", fix});
  } else {
    group.Warning("files.none", text, {"nothing is read until it is there; it is found then", fix});
  }
}

void CheckEmptyPattern(const Subject& subject, const FilePattern& pattern, const Group& group) {
  if (pattern.path.find_first_of("*?[{") == std::string::npos)
    return CheckAbsentFile(subject, pattern, group);
  const std::string folder = FixedFolder(pattern.path);
  if (const std::optional<Refusal> refusal = WhyRefused(folder, Want::kList)) {
    const Mark mark = refusal->error == ENOENT ? Mark::kWarning : Mark::kFailure;
    group.Put(mark, "files.folder", JobText(pattern) + pattern.path + ": " + refusal->Text(folder),
              {mark == Mark::kWarning ? "nothing is read until it is there; it is found then"
                                      : "no file in it is found",
               AccessFix(*refusal, Want::kList, subject.system)});
    return;
  }
  if (pattern.awaits) {
    group.Note("files.none", JobText(pattern) + "no pod's log below " + folder + " yet");
    return;
  }
  group.Warning("files.none", JobText(pattern) + pattern.path + " matches nothing",
                {"nothing is read until a file of that name comes", "ls -l " + Quoted(folder)});
}

// A folder that may not be listed hides files without a word.
void CheckFolders(const Subject& subject, const Survey& survey, const Group& group) {
  std::size_t shown = 0;
  for (const std::string& folder : survey.directories) {
    const std::optional<Refusal> refusal = WhyRefused(folder, Want::kList);
    if (!refusal || ++shown > kMaxGroups) continue;
    group.Failure("files.folder", refusal->Text(folder),
                  {"files in it are not found", AccessFix(*refusal, Want::kList, subject.system)});
  }
}

// In a container, a folder of logs that is the container's own is usually a mount that was
// forgotten.
void CheckOwnFolders(const Subject& subject, const Group& group) {
  if (!subject.system.container) return;
  struct stat root {};
  struct stat info {};
  if (::stat("/", &root) != 0) return;
  std::set<std::string> said;
  for (const FilePattern& pattern : subject.targets.patterns) {
    const std::string folder = FixedFolder(pattern.path);
    if (!folder.starts_with("/var/log") || ::stat(folder.c_str(), &info) != 0) continue;
    if (info.st_dev != root.st_dev || !said.insert(folder).second) continue;
    group.Note("files.own_folder",
               JobText(pattern) + folder + " is this container's own folder, not the machine's",
               {"logs of the machine are not in it", "docker run -v " + Quoted(folder) + ":" +
                                                         Quoted(folder) +
                                                         ":ro …   # a hostPath volume of the pod"});
  }
}

// Those that fail alike become one finding.
void CheckUnreadable(const Subject& subject, const Survey& survey, const Group& group) {
  struct Alike {
    std::size_t count = 0;
    const UnreadableFile* first = nullptr;
  };
  std::map<std::pair<int, std::string>, Alike> groups;
  for (const UnreadableFile& file : survey.unreadable) {
    const Refusal& refusal = file.refusal;
    std::string key = refusal.place;
    if (refusal.place == file.path) key = std::string(DirName(file.path)) + OwnerText(refusal.info);
    Alike& alike = groups[{refusal.error, std::move(key)}];
    if (alike.count++ == 0) alike.first = &file;
  }
  std::size_t shown = 0;
  for (const auto& [key, alike] : groups) {
    if (++shown > kMaxGroups) break;
    const Refusal& refusal = alike.first->refusal;
    std::string text = refusal.Text(alike.first->path);
    if (alike.count > 1)
      text += ", and " + Count(alike.count - 1, "more file") + " for that reason";
    group.Failure(
        refusal.error == ENOENT ? "files.link" : "files.permission",
        JobText(subject.targets.patterns[alike.first->pattern]) + text,
        {"their lines are never shipped", AccessFix(refusal, Want::kRead, subject.system)});
  }
  if (groups.size() > kMaxGroups) {
    group.Failure(
        "files.permission",
        Count(groups.size() - kMaxGroups, "more place") + " with files that are not readable",
        {"their lines are never shipped", "mend those above, then run this again"});
  }
}

// "…; /a/x, and 3 more".
std::string Examples(const std::vector<std::string>& paths) {
  std::string text = paths.front();
  if (paths.size() > 1) text += ", and " + std::to_string(paths.size() - 1) + " more";
  return text;
}

void SayKind(const FilePattern& pattern, const std::string& kind, const std::string& format,
             const std::vector<std::string>& paths, const Group& group) {
  const std::string what = JobText(pattern) + Examples(paths) + ": ";
  const std::string ending = paths.front().substr(paths.front().rfind('.') + 1);
  // All that end so, unless that is what the pattern is about.
  const bool named = ending.find('/') == std::string::npos && ending.size() < 8 &&
                     !pattern.path.ends_with("." + ending);
  const std::string folder(DirName(paths.front()));
  const std::string exclude = "__path_exclude__: '" +
                              (named ? folder + "/*." + ending : paths.front()) +
                              "'   # in the job's labels";
  if (!pattern.compression.empty()) {
    const std::string found = kind.empty() ? "plain text" : kind;
    group.Failure("files.kind", what + found + ", but the job expects " + pattern.compression,
                  {"it cannot be decompressed",
                   format.empty() ? "take `decompression` out of the job"
                                  : "decompression: { enabled: true, format: " + format + " }"});
  } else if (!format.empty()) {
    group.Warning(
        "files.kind", what + kind + " that is read as lines",
        {"its compressed bytes are shipped as entries",
         exclude + ", or a job with decompression: { enabled: true, format: " + format + " }"});
  } else if (kind == "UTF-16 text") {
    group.Warning("files.kind", what + "UTF-16 text, but the job has no encoding",
                  {"its lines arrive with zero bytes in them", "encoding: UTF-16   # in the job"});
  } else {
    group.Warning("files.kind", what + kind + ", not text",
                  {"its bytes are shipped as entries", exclude});
  }
}

void CheckKinds(const Subject& subject, const Survey& survey, const Group& group) {
  // By pattern and kind.
  std::map<std::pair<std::size_t, std::string>, std::pair<std::string, std::vector<std::string>>>
      odd;
  for (const SurveyedFile& file : survey.files) {
    if (!file.opened || file.head.empty()) continue;
    const FilePattern& pattern = subject.targets.patterns[file.pattern];
    const std::string kind = KindOfFile(file.head);
    const std::string format = CompressionOf(file.head);
    if (!pattern.compression.empty()) {
      // zlib's head is hardly one.
      if (format == pattern.compression || pattern.compression == "z") continue;
    } else if (kind.empty() || (!pattern.encoding.empty() && format.empty())) {
      continue;
    }
    auto& [its_format, paths] = odd[{file.pattern, kind}];
    its_format = format;
    paths.push_back(file.path);
  }
  std::size_t shown = 0;
  for (const auto& [key, what] : odd) {
    if (++shown > kMaxGroups) break;
    SayKind(subject.targets.patterns[key.first], key.second, what.first, what.second, group);
  }
}

void CheckJobs(const Subject& subject, const Group& group) {
  for (const KnownTargets::Job& job : subject.targets.jobs) {
    for (const std::string& problem : job.problems) {
      group.Failure(
          "files.targets", "job " + job.name + ": " + problem,
          {"its targets are not known", "mend the file; the agent looks at it again by itself"});
    }
    if (!job.targets.empty() || job.elsewhere || !job.problems.empty()) continue;
    if (job.dropped.empty()) {
      group.Warning("files.targets", "job " + job.name + " has no target",
                    {"it reads nothing", "give it static_configs with a __path__"});
      continue;
    }
    const DroppedTarget& dropped = *job.dropped.front();
    const std::string why = dropped.detail.empty() ? dropped.reason : dropped.detail;
    group.Warning("files.targets",
                  "job " + job.name + ": all of its targets are left out (" + why + ")",
                  {"it reads nothing",
                   dropped.reason == "no_path"
                       ? "give its labels a __path__"
                       : "look at relabel_configs, and at /service-discovery of a running agent"});
  }
}

void SayMatches(const Subject& subject, const Survey& survey, const Group& group) {
  for (std::size_t i = 0; i < survey.matches.size(); ++i) {
    const FilePattern& pattern = subject.targets.patterns[i];
    if (survey.matches[i] == 0) {
      const bool bad = std::any_of(survey.bad_patterns.begin(), survey.bad_patterns.end(),
                                   [&](const auto& b) { return b.first == pattern.path; });
      if (!bad) CheckEmptyPattern(subject, pattern, group);
      continue;
    }
    const auto unreadable = static_cast<std::size_t>(
        std::count_if(survey.unreadable.begin(), survey.unreadable.end(),
                      [i](const UnreadableFile& file) { return file.pattern == i; }));
    if (unreadable >= survey.matches[i]) continue;  // All said already.
    uint64_t bytes = 0;
    for (const SurveyedFile& file : survey.files)
      bytes += file.pattern == i ? file.size : 0;
    const std::size_t readable = survey.matches[i] - unreadable;
    group.Ok("files.matches", JobText(pattern) + pattern.path + ": " + Count(readable, "file") +
                                  (bytes > 0 ? ", " + Bytes(bytes) : ""));
  }
  for (const auto& [pattern, error] : survey.bad_patterns) {
    group.Failure("files.pattern", error, {"nothing of it is read", "correct __path__ " + pattern});
  }
}

}  // namespace

void ReportFiles(const Subject& subject, const Survey& survey, const Group& group) {
  CheckJobs(subject, group);
  SayMatches(subject, survey, group);
  CheckFolders(subject, survey, group);
  CheckOwnFolders(subject, group);
  CheckUnreadable(subject, survey, group);
  CheckKinds(subject, survey, group);
  if (!survey.twice.empty()) {
    group.Note(
        "files.twice",
        Examples(survey.twice) + ": read by more than one job; its lines arrive once for each",
        {"", "narrow one of the patterns, or use __path_exclude__"});
  }
  if (!survey.special.empty()) {
    group.Note("files.special", Examples(survey.special) + ": no regular file, and not read");
  }
  if (!survey.complete) {
    group.Warning("files.too_many", "the patterns lead through more names than are looked at",
                  {"files beyond them are not found", "narrow the patterns: fewer `**`"});
  }
  if (survey.not_opened > 0) {
    group.Note("files.sample",
               Count(survey.not_opened, "more file") + " counted, and not opened for this");
  }
}

void CheckFiles(const Subject& subject, Findings& findings) {
  const Group files(findings, "Files");
  const Survey survey = SurveyFiles(subject.targets.patterns);
  ReportFiles(subject, survey, files);
  if (subject.targets.patterns.empty()) return;
  const Group watching(findings, "Watching");
  ReportInotify(subject.system, survey, watching);
  ReportDescriptors(subject.system, survey, watching);
}

}  // namespace agent::doctor
