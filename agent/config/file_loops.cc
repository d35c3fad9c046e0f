// Files that an output writes and a job reads: each line would come again and again.

#include <fnmatch.h>

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "agent/config/sections.h"
#include "base/clock.h"
#include "base/entry.h"
#include "base/labels.h"
#include "outputs/event_pattern.h"

namespace agent {
namespace {

// Without ".", ".." and doubled slashes.
std::string Absolute(const std::string& path) {
  std::error_code error;
  return std::filesystem::absolute(path, error).lexically_normal().string();
}

// Folders match as in globs of jobs: `**` is any number of them.
bool MatchFolders(std::string_view pattern, std::string_view path) {
  const std::size_t pattern_end = pattern.find('/');
  const std::string part(pattern.substr(0, pattern_end));
  const bool last_pattern = pattern_end == std::string_view::npos;
  const std::size_t path_end = path.find('/');
  const bool last_path = path_end == std::string_view::npos;
  if (part == "**") {
    if (!last_pattern && MatchFolders(pattern.substr(pattern_end + 1), path)) return true;
    return last_path ? last_pattern : MatchFolders(pattern, path.substr(path_end + 1));
  }
  if (fnmatch(part.c_str(), std::string(path.substr(0, path_end)).c_str(), 0) != 0) return false;
  if (last_pattern || last_path) return last_pattern && last_path;
  return MatchFolders(pattern.substr(pattern_end + 1), path.substr(path_end + 1));
}

// With one choice of every `{a,b}`.
bool MatchGlob(const std::string& glob, const std::string& path) {
  const std::size_t open = glob.find('{');
  const std::size_t close = open == std::string::npos ? open : glob.find('}', open);
  if (close == std::string::npos) return MatchFolders(Absolute(glob), path);
  std::string_view choices{glob.data() + open + 1, close - open - 1};
  while (true) {
    const std::size_t comma = choices.find(',');
    std::string chosen = glob.substr(0, open);
    chosen += choices.substr(0, comma);
    chosen += glob.substr(close + 1);
    if (MatchGlob(chosen, path)) return true;
    if (comma == std::string_view::npos) return false;
    choices.remove_prefix(comma + 1);
  }
}

// A file that the output may write now: values of entries are whatever they are.
std::string SamplePath(const std::string& text) {
  auto pattern = EventPattern::Parse(text);
  if (!pattern.ok()) return {};
  pattern->SetOtherwise("x");
  Entry entry;
  entry.timestamp_ns = SystemClock().WallNanos();
  std::string path;
  pattern->Append(path, entry, Labels());
  return path.empty() ? path : Absolute(path);
}

const ScrapeConfig* JobThatReads(const std::vector<ScrapeConfig>& jobs, const std::string& path) {
  for (const ScrapeConfig& job : jobs) {
    for (const StaticConfig& group : job.static_configs) {
      const std::string* const glob = group.labels.Find("__path__");
      const std::string* const except = group.labels.Find("__path_exclude__");
      const bool excluded = except != nullptr && MatchGlob(*except, path);
      if (glob != nullptr && MatchGlob(*glob, path) && !excluded) return &job;
    }
  }
  return nullptr;
}

}  // namespace

void CheckFileLoops(const ConfigNode& root, const Config& config, Problems& problems) {
  const ConfigNode* const list = root.Find("outputs");
  for (std::size_t i = 0; i < config.outputs.size(); ++i) {
    if (!config.outputs[i].file) continue;
    const std::string path = SamplePath(config.outputs[i].file->path);
    const ScrapeConfig* const job =
        path.empty() ? nullptr : JobThatReads(config.scrape_configs, path);
    if (job == nullptr) continue;
    const ConfigNode* const node = list->items()[i].Find("file")->Find("path");
    problems.Error(node->place(), "outputs[" + std::to_string(i) + "].file.path",
                   "job '" + job->job_name +
                       "' reads what is written here: lines would come again "
                       "and again",
                   "write to another folder, or add __path_exclude__ to the job");
  }
}

}  // namespace agent
