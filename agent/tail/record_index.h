// What the journal remembers and nobody reads yet, found by inode and by path. Made for a moment,
// such as a scan that has found new files; nothing is taken out of the journal as long as it is
// used.

#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "agent/tail/file_identity.h"
#include "agent/tail/journal.h"

namespace agent {

// A file that is to be matched with a record.
struct FileToMatch {
  std::string path;
  FileKey key;
  uint64_t size_bytes = 0;
  std::string_view head;  // ReadHead()'s.
  std::string_view job;
  uint64_t labels_hash = 0;
};

class RecordIndex {
 public:
  // `claimed` says which records have a reader already: those are no match for another one.
  RecordIndex(const JournalState& state, const std::function<bool(const SourceKey&)>& claimed);

  // The record of exactly this file, where it was or renamed: same device, inode and head.
  [[nodiscard]] const SourceRecord* SameFile(const FileToMatch& file) const;
  // After a remount or a restore: same inode and head on another device, or same path and head.
  [[nodiscard]] const SourceRecord* MovedFile(const FileToMatch& file) const;
  // Of files that were found at `path`, or seen there last, by this job; the one with the same
  // labels first.
  [[nodiscard]] std::vector<const SourceRecord*> AtPath(const FileToMatch& file) const;
  // How files began that were once found at `path`, whoever reads them.
  [[nodiscard]] std::vector<HeadHash> HeadsAt(const std::string& path) const;
  // How far the furthest reader of exactly this file has got, in any job; null: nobody has read it.
  [[nodiscard]] const SourceRecord* OfAnyJob(const FileToMatch& file) const;
  // Of files that were found at `path`, or seen there last, by any job.
  [[nodiscard]] std::vector<const SourceRecord*> OfPath(const std::string& path) const;
  // Of this job, all.
  [[nodiscard]] std::vector<const SourceRecord*> OfJob(std::string_view job) const;
  // Nobody has claimed it.
  [[nodiscard]] bool Free(const SourceRecord& record) const;
  // A record has found its reader.
  void Claim(const SourceKey& key);

 private:
  template <typename Range, typename Fits>
  const SourceRecord* Best(const Range& range, const FileToMatch& file, const Fits& fits) const;

  std::unordered_map<SourceKey, bool, std::size_t (*)(const SourceKey&)> claimed_;
  std::unordered_multimap<uint64_t, const SourceRecord*> by_inode_;
  std::unordered_multimap<std::string, const SourceRecord*> by_path_;
  std::unordered_multimap<std::string, const SourceRecord*> by_job_;
};

}  // namespace agent
