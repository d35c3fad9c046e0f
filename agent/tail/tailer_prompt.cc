// Files of containers: they come with their container, and may be deleted before a scan has found
// them. Their folder is watched from the moment on that the container is known, and the file is
// opened as it appears.

#include <fcntl.h>

#include <utility>

#include "agent/tail/glob.h"
#include "agent/tail/tailer.h"

namespace agent {

void Tailer::LookForPromptFiles() {
  const TargetGroups::PromptPaths& wanted = groups_.prompt_paths();
  std::erase_if(prompt_files_,
                [&wanted](const auto& open) { return !wanted.contains(open.first); });
  std::vector<std::string> open;
  for (const auto& [path, groups] : wanted) {
    if (!prompt_files_.contains(path) && files_.FindByPlace(path).empty()) {
      // First the watch: what comes after the look is reported.
      watcher_.Watch(std::string(DirName(path)));
      OpenPrompt(path);
    }
    if (prompt_files_.contains(path)) open.push_back(path);
  }
  TakeUpPrompt(open);
}

void Tailer::AddPromptDirectories(std::vector<std::string>& directories) const {
  for (const auto& [path, groups] : groups_.prompt_paths()) {
    if (groups.empty()) directories.emplace_back(DirName(path));
  }
}

void Tailer::OnCreated(const std::string& path) {
  if (!groups_.prompt_paths().contains(path)) return;
  if (OpenPrompt(path)) TakeUpPrompt({path});
}

bool Tailer::OpenPrompt(const std::string& path) {
  if (prompt_files_.contains(path) || !context_->open_files.has_room()) return false;
  // After a rotation the scan puts the new file behind the one that was here.
  if (!files_.FindByPlace(path).empty()) return false;
  UniqueFd fd = OpenForReading(path);
  if (!fd.valid()) return false;
  prompt_files_[path] = std::move(fd);
  return true;
}

void Tailer::TakeUpPrompt(const std::vector<std::string>& paths) {
  if (!running_ || finishing_all_) return;
  std::vector<ScannedFile> found;
  for (const std::string& path : paths) {
    const int fd = prompt_files_.at(path).get();
    const Result<FileStat> info = StatFile(fd);
    Result<std::string> head = ReadHead(fd);
    if (!info.ok() || !info->regular || !head.ok()) continue;
    for (const uint32_t group : groups_.prompt_paths().at(path))
      found.push_back({group, path, {}, *info, *head});
  }
  std::erase_if(found, [this](const ScannedFile& file) { return Known(file) != nullptr; });
  if (!found.empty()) {
    std::vector<ScannedFile*> unknown;
    for (ScannedFile& file : found)
      unknown.push_back(&file);
    DirectoryIndex index;
    RecordIndex records(positions_.state(),
                        [this](const SourceKey& key) { return files_.Has(key); });
    AdoptAll(std::move(unknown), index, records);
    StartSources();
  }
  for (const std::string& path : paths) {
    if (!groups_.prompt_paths().at(path).empty()) prompt_files_.erase(path);
  }
}

UniqueFd Tailer::TakePrompt(const FollowedFile& file) {
  const auto open = prompt_files_.find(file.place);
  if (open == prompt_files_.end()) return {};
  const Result<FileStat> info = StatFile(open->second.get());
  if (!info.ok() || info->key != file.identity.key) return {};
  // Several groups may read it.
  return UniqueFd(::fcntl(open->second.get(), F_DUPFD_CLOEXEC, 0));
}

}  // namespace agent
