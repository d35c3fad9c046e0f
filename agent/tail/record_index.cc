#include "agent/tail/record_index.h"

#include <algorithm>

#include "agent/tail/file_table.h"

namespace agent {
namespace {

std::size_t HashKey(const SourceKey& key) {
  return static_cast<std::size_t>(key.id ^ key.generation);
}

uint64_t MaxSettled(const SourceRecord& record) {
  uint64_t most = 0;
  for (const auto& [output, offset] : record.settled)
    most = std::max(most, offset);
  return most;
}

// Has at least what was read of it, and begins as it did.
bool Continues(const SourceRecord& record, const FileToMatch& file) {
  return file.size_bytes >= MaxSettled(record) && BeginsWith(file.head, record.identity.head);
}

// Its permission may come back. Until then nothing but its inode says which one it is.
bool Unreadable(const FileToMatch& file) {
  return file.head.empty() && file.size_bytes > 0;
}

}  // namespace

RecordIndex::RecordIndex(const JournalState& state,
                         const std::function<bool(const SourceKey&)>& claimed)
    : claimed_(0, &HashKey) {
  for (const auto& [key, record] : state.sources) {
    if (claimed(key)) claimed_[key] = true;
    by_inode_.emplace(record.identity.key.inode, &record);
    by_path_.emplace(record.path, &record);
    if (record.place != record.path) by_path_.emplace(record.place, &record);
    by_job_.emplace(record.job, &record);
  }
}

bool RecordIndex::Free(const SourceRecord& record) const {
  return !claimed_.contains(record.key);
}

void RecordIndex::Claim(const SourceKey& key) {
  claimed_[key] = true;
}

template <typename Range, typename Fits>
const SourceRecord* RecordIndex::Best(const Range& range, const FileToMatch& file,
                                      const Fits& fits) const {
  const SourceRecord* best = nullptr;
  int best_score = -1;
  for (auto at = range.first; at != range.second; ++at) {
    const SourceRecord& record = *at->second;
    if (!Free(record) || record.job != file.job || !fits(record)) continue;
    const int score = (record.labels_hash == file.labels_hash ? 2 : 0) +
                      (record.place == file.path || record.path == file.path ? 1 : 0);
    if (score > best_score) {
      best = &record;
      best_score = score;
    }
  }
  return best;
}

const SourceRecord* RecordIndex::SameFile(const FileToMatch& file) const {
  return Best(by_inode_.equal_range(file.key.inode), file, [&file](const SourceRecord& record) {
    if (record.identity.key != file.key) return false;
    if (Unreadable(file)) return file.size_bytes >= MaxSettled(record);
    return Continues(record, file);
  });
}

const SourceRecord* RecordIndex::MovedFile(const FileToMatch& file) const {
  const auto has_head = [&file](const SourceRecord& record) {
    return record.identity.head.length > 0 && Continues(record, file);
  };
  if (const auto* same = Best(by_inode_.equal_range(file.key.inode), file, has_head)) return same;
  return Best(by_path_.equal_range(file.path), file, has_head);
}

std::vector<const SourceRecord*> RecordIndex::AtPath(const FileToMatch& file) const {
  std::vector<const SourceRecord*> found;
  const auto [first, last] = by_path_.equal_range(file.path);
  for (auto at = first; at != last; ++at) {
    if (Free(*at->second) && at->second->job == file.job) found.push_back(at->second);
  }
  std::stable_sort(found.begin(), found.end(), [&file](const auto* a, const auto* b) {
    return (a->labels_hash == file.labels_hash) > (b->labels_hash == file.labels_hash);
  });
  return found;
}

std::vector<HeadHash> RecordIndex::HeadsAt(const std::string& path) const {
  std::vector<HeadHash> heads;
  const auto [first, last] = by_path_.equal_range(path);
  for (auto at = first; at != last; ++at) {
    if (at->second->identity.head.length > 0) heads.push_back(at->second->identity.head);
  }
  return heads;
}

const SourceRecord* RecordIndex::OfAnyJob(const FileToMatch& file) const {
  const auto [first, last] = by_inode_.equal_range(file.key.inode);
  const SourceRecord* furthest = nullptr;
  for (auto at = first; at != last; ++at) {
    const SourceRecord& record = *at->second;
    if (record.identity.key != file.key || record.identity.head.length == 0) continue;
    if (record.job.find(kDecodedMark) != std::string::npos || !Continues(record, file)) continue;
    if (furthest == nullptr || record.MinSettled() > furthest->MinSettled()) furthest = &record;
  }
  return furthest;
}

std::vector<const SourceRecord*> RecordIndex::OfPath(const std::string& path) const {
  std::vector<const SourceRecord*> found;
  const auto [first, last] = by_path_.equal_range(path);
  for (auto at = first; at != last; ++at) {
    if (Free(*at->second)) found.push_back(at->second);
  }
  return found;
}

std::vector<const SourceRecord*> RecordIndex::OfJob(std::string_view job) const {
  std::vector<const SourceRecord*> found;
  const auto [first, last] = by_job_.equal_range(std::string(job));
  for (auto at = first; at != last; ++at) {
    if (Free(*at->second)) found.push_back(at->second);
  }
  return found;
}

}  // namespace agent
