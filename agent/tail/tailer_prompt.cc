// Files of containers: they come with their container, and may be deleted before a scan has found
// them. Their folder is watched from the moment on that the container is known, and the file is
// opened as it appears.

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <utility>

#include "agent/tail/glob.h"
#include "agent/tail/tailer.h"

namespace agent {
namespace {

// Where an open file really is; empty when that cannot be told.
std::string PlaceOf(int fd) {
  std::array<char, PATH_MAX> place{};
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t length = ::readlink(link.c_str(), place.data(), place.size());
  return length <= 0 ? std::string() : std::string(place.data(), static_cast<std::size_t>(length));
}

}  // namespace

void Tailer::LookForPromptFiles() {
  EndAwaiting();
  std::vector<std::string> open;
  for (const auto& [path, prompt] : groups_.prompt_paths()) {
    if (!prompt_files_.contains(path) && files_.FindByPlace(path).empty()) {
      // First the watch: what comes after the look is reported.
      watcher_.Watch(std::string(DirName(path)));
      OpenPrompt(path);
    }
    if (prompt_files_.contains(path)) open.push_back(path);
  }
  TakeUpPrompt(open);
}

void Tailer::EndAwaiting() {
  if (!running_ || finishing_all_) return;
  std::vector<ScannedFile> found;
  for (const auto& [path, fd] : prompt_files_) {
    if (groups_.prompt_paths().contains(path)) continue;
    for (const auto& [id, group] : groups_.all()) {
      if (group.wanted && group.Wants(path)) AppendOpen(path, id, found);
    }
  }
  TakeUpOpen(std::move(found));
  std::erase_if(prompt_files_,
                [this](const auto& open) { return !groups_.prompt_paths().contains(open.first); });
}

void Tailer::AddPromptDirectories(std::vector<std::string>& directories) const {
  for (const auto& [path, prompt] : groups_.prompt_paths()) {
    if (prompt.groups.empty()) directories.emplace_back(DirName(path));
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
  // It may have been deleted since; and an older one of that name is not meant.
  UniqueFd fd = OpenForReading(path);
  if (!fd.valid() && caught_ != nullptr) fd = caught_->Open(path);
  if (!fd.valid()) return false;
  const std::vector<std::string>& roots = groups_.prompt_paths().at(path).roots;
  if (!roots.empty() && !IsBelowAny(PlaceOf(fd.get()), roots)) return false;
  prompt_files_[path] = std::move(fd);
  return true;
}

void Tailer::TakeUpPrompt(const std::vector<std::string>& paths) {
  if (!running_ || finishing_all_) return;
  std::vector<ScannedFile> found;
  for (const std::string& path : paths) {
    for (const uint32_t group : groups_.prompt_paths().at(path).groups)
      AppendOpen(path, group, found);
  }
  TakeUpOpen(std::move(found));
  for (const std::string& path : paths) {
    if (!groups_.prompt_paths().at(path).groups.empty()) prompt_files_.erase(path);
  }
}

void Tailer::AppendOpen(const std::string& path, uint32_t group,
                        std::vector<ScannedFile>& found) const {
  const int fd = prompt_files_.at(path).get();
  const Result<FileStat> info = StatFile(fd);
  Result<std::string> head = ReadHead(fd);
  if (info.ok() && info->regular && head.ok()) found.push_back({group, path, {}, *info, *head});
}

void Tailer::TakeUpOpen(std::vector<ScannedFile> found) {
  std::erase_if(found, [this](const ScannedFile& file) { return Known(file) != nullptr; });
  if (found.empty()) return;
  std::vector<ScannedFile*> unknown;
  unknown.reserve(found.size());
  for (ScannedFile& file : found)
    unknown.push_back(&file);
  DirectoryIndex index;
  RecordIndex records(positions_.state(), [this](const SourceKey& key) { return files_.Has(key); });
  AdoptAll(std::move(unknown), index, records);
  StartSources();
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
