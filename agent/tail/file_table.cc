#include "agent/tail/file_table.h"

#include <algorithm>
#include <utility>

namespace agent {
namespace {

template <typename Map, typename Key>
void EraseOne(Map& map, const Key& key, const FollowedFile* file) {
  const auto [first, last] = map.equal_range(key);
  const auto at =
      std::find_if(first, last, [file](const auto& pair) { return pair.second == file; });
  if (at != last) map.erase(at);
}

}  // namespace

std::string_view FileStateName(FileState state) {
  switch (state) {
    case FileState::kReading:
      return "reading";
    case FileState::kRotated:
      return "rotated";
    case FileState::kDeleted:
      return "deleted";
    case FileState::kUndecided:
      return "undecided";
    case FileState::kFinished:
      return "finished";
    case FileState::kLeaving:
      return "leaving";
  }
  return "";
}

std::string RecordJob(const std::string& job, Compression compression) {
  if (compression == Compression::kNone) return job;
  return job + kDecodedMark + std::string(CompressionName(compression));
}

FollowedFile& FileTable::Add(FollowedFile file) {
  file.number = next_number_++;
  auto owned = std::make_unique<FollowedFile>(std::move(file));
  FollowedFile& added = *owned;
  files_[added.number] = std::move(owned);
  Index(added);
  by_path_.emplace(added.path, &added);
  by_lineage_.emplace(added.lineage, &added);
  if (added.source != nullptr) by_source_[added.source.get()] = &added;
  if (added.key.id != 0) by_source_key_[added.key] = added.number;
  return added;
}

void FileTable::Remove(uint64_t number) {
  FollowedFile* const file = Find(number);
  if (file == nullptr) return;
  Unindex(*file);
  EraseOne(by_path_, file->path, file);
  EraseOne(by_lineage_, file->lineage, file);
  SetSource(*file, nullptr);
  const auto keyed = by_source_key_.find(file->key);
  if (keyed != by_source_key_.end() && keyed->second == number) by_source_key_.erase(keyed);
  files_.erase(number);
}

void FileTable::Index(FollowedFile& file) {
  by_identity_.emplace(file.identity.key, &file);
  if (!file.place.empty()) by_place_.emplace(file.place, &file);
  if (!file.target.empty()) by_place_.emplace(file.target, &file);
}

void FileTable::Unindex(FollowedFile& file) {
  EraseOne(by_identity_, file.identity.key, &file);
  EraseOne(by_place_, file.place, &file);
  EraseOne(by_place_, file.target, &file);
}

FollowedFile* FileTable::Find(uint64_t number) {
  const auto at = files_.find(number);
  return at == files_.end() ? nullptr : at->second.get();
}

FollowedFile* FileTable::FindByIdentity(uint32_t group, const FileKey& key) {
  const auto [first, last] = by_identity_.equal_range(key);
  const auto at =
      std::find_if(first, last, [group](const auto& pair) { return pair.second->group == group; });
  return at == last ? nullptr : at->second;
}

std::vector<FollowedFile*> FileTable::FindByIdentity(const FileKey& key) const {
  std::vector<FollowedFile*> found;
  const auto [first, last] = by_identity_.equal_range(key);
  for (auto at = first; at != last; ++at)
    found.push_back(at->second);
  return found;
}

std::vector<FollowedFile*> FileTable::FindByPlace(const std::string& place) const {
  std::vector<FollowedFile*> found;
  const auto [first, last] = by_place_.equal_range(place);
  for (auto at = first; at != last; ++at)
    found.push_back(at->second);
  return found;
}

std::vector<FollowedFile*> FileTable::FindByPath(uint32_t group, const std::string& path) const {
  std::vector<FollowedFile*> found;
  const auto [first, last] = by_path_.equal_range(path);
  for (auto at = first; at != last; ++at) {
    if (at->second->group == group) found.push_back(at->second);
  }
  return found;
}

FollowedFile* FileTable::FindLatest(uint32_t group, const std::string& path) const {
  const std::vector<FollowedFile*> found = FindByPath(group, path);
  const auto latest =
      std::max_element(found.begin(), found.end(),
                       [](const auto* a, const auto* b) { return a->number < b->number; });
  return latest == found.end() ? nullptr : *latest;
}

std::vector<FollowedFile*> FileTable::FindByLineage(uint64_t lineage) const {
  std::vector<FollowedFile*> found;
  const auto [first, last] = by_lineage_.equal_range(lineage);
  for (auto at = first; at != last; ++at)
    found.push_back(at->second);
  return found;
}

FollowedFile* FileTable::FindBySource(const Source* source) {
  const auto at = by_source_.find(source);
  return at == by_source_.end() ? nullptr : at->second;
}

void FileTable::SetPlace(FollowedFile& file, const std::string& place, const std::string& target) {
  Unindex(file);
  file.place = place;
  file.target = target;
  Index(file);
}

void FileTable::SetIdentity(FollowedFile& file, const FileKey& key) {
  Unindex(file);
  file.identity.key = key;
  Index(file);
}

void FileTable::SetSource(FollowedFile& file, std::shared_ptr<TailSource> source) {
  if (file.source != nullptr) by_source_.erase(file.source.get());
  file.source = std::move(source);
  if (file.source != nullptr) by_source_[file.source.get()] = &file;
}

void FileTable::SetKey(FollowedFile& file, const SourceKey& key) {
  by_source_key_.erase(file.key);
  file.key = key;
  by_source_key_[key] = file.number;
}

std::vector<uint64_t> FileTable::Numbers() const {
  std::vector<uint64_t> numbers;
  numbers.reserve(files_.size());
  for (const auto& [number, file] : files_)
    numbers.push_back(number);
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

std::unordered_set<uint32_t> FileTable::Groups() const {
  std::unordered_set<uint32_t> groups;
  for (const auto& [number, file] : files_)
    groups.insert(file->group);
  return groups;
}

std::unordered_set<FileKey, FileKeyHash> FileTable::Keys() const {
  std::unordered_set<FileKey, FileKeyHash> keys;
  for (const auto& [number, file] : files_)
    keys.insert(file->identity.key);
  return keys;
}

}  // namespace agent
