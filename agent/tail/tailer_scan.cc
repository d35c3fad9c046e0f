// What a scan says about the files: which are the known ones, wherever they are now, and which are
// new.

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "agent/tail/glob.h"
#include "agent/tail/tailer.h"

namespace agent {
namespace {

// A change that inotify did not report, twice in a row: it does not report any.
constexpr int kSilentScans = 2;

}  // namespace

void Tailer::ApplyScan(ScanResult result) {
  RunDirty();  // What sources have found out goes first.
  ++scan_number_;
  ++counters_.scans;
  AddPromptDirectories(result.directories);
  watcher_.SetDirectories(result.directories);
  StartPolling();
  std::vector<ScannedFile*> unknown = MatchKnown(result);
  DirectoryIndex index;
  for (const uint64_t number : files_.Numbers()) {
    FollowedFile* const file = files_.Find(number);
    if (file != nullptr && file->seen_in_scan != scan_number_) CheckUnseen(*file, index);
  }
  TakeUp(std::move(unknown), index);
  FollowOrphans(index);
  ForgetLeft();
  for (const std::string& path : result.not_files)
    SkipOnce(path, "matches, but is no regular file: skipped");
  for (const std::string& path : result.refused)
    SkipOnce(path, "refused: a link leads out of the folders where these logs may be (log_roots)");
  counters_.files_refused = result.refused.size();
  StartSources();
}

std::vector<ScannedFile*> Tailer::MatchKnown(ScanResult& result) {
  std::vector<ScannedFile*> unknown;
  std::vector<std::pair<uint64_t, ScannedFile*>> elsewhere;
  for (ScannedFile& found : result.files) {
    FollowedFile* const file = Known(found);
    if (file == nullptr) {
      if (found.head.empty() && found.info.size_bytes > 0) found.head = ReadHeadAt(found.path);
      unknown.push_back(&found);
    } else if (file->place == found.path) {
      SeenInPlace(*file, found);
    } else {
      elsewhere.emplace_back(file->number, &found);
    }
  }
  for (const auto& [number, found] : elsewhere) {
    FollowedFile* const file = files_.Find(number);
    // Seen at its place as well: another hard link, read once.
    if (file == nullptr || file->seen_in_scan == scan_number_) continue;
    MovedTo(*file, found->path, /*in_glob=*/true);
    file->seen_in_scan = scan_number_;
    file->size_bytes = found->info.size_bytes;
    file->modified_ns = found->info.modified_ns;
  }
  return unknown;
}

void Tailer::TakeUp(std::vector<ScannedFile*> unknown, DirectoryIndex& index) {
  const std::set<std::string> left = std::exchange(left_jobs_, {});
  if (!left.empty()) {
    for (auto& [id, group] : groups_.all())
      group.scanned = group.scanned && !left.contains(group.job);
  }
  const bool new_groups =
      std::any_of(groups_.all().begin(), groups_.all().end(),
                  [](const auto& pair) { return pair.second.wanted && !pair.second.scanned; });
  if (unknown.empty() && !new_groups) return;
  RecordIndex records(positions_.state(), [this](const SourceKey& key) { return files_.Has(key); });
  AdoptAll(std::move(unknown), index, records);
  if (new_groups) RecoverGroups(index, records);
  for (auto& [id, group] : groups_.all())
    group.scanned = true;
}

void Tailer::FollowOrphans(DirectoryIndex& index) {
  displaced_.clear();
  std::optional<RecordIndex> records;
  const std::vector<uint64_t> numbers(attention_.begin(), attention_.end());
  for (const uint64_t number : numbers) {
    FollowedFile* const file = files_.Find(number);
    if (file == nullptr || file->compressed || file->compression != Compression::kNone) continue;
    if (file->state != FileState::kRotated && file->state != FileState::kDeleted) continue;
    const std::vector<FollowedFile*> same_path = files_.FindByPath(file->group, file->path);
    const auto at_path = [](const FollowedFile* other) { return other->place == other->path; };
    if (std::any_of(same_path.begin(), same_path.end(), at_path)) continue;
    if (!records) records.emplace(positions_.state(), [](const SourceKey&) { return true; });
    FollowBetween(*file, {file->path, file->identity.key, {}}, index, *records);
  }
}

FollowedFile* Tailer::Known(const ScannedFile& found) {
  FollowedFile* const file = files_.FindByIdentity(found.group, found.info.key);
  if (file == nullptr || file->place == found.path) return file;
  // An inode cannot go to another file while we hold it open.
  if (file->source != nullptr && file->source->Snapshot().open) return file;
  if (BeginsWith(ReadHeadAt(found.path), file->identity.head)) return file;
  files_.SetIdentity(*file, FileKey{0, file->number});
  Deleted(*file);
  return nullptr;
}

void Tailer::SeenInPlace(FollowedFile& file, const ScannedFile& found) {
  file.seen_in_scan = scan_number_;
  if (file.place == file.path) file.at_path_ns = scan_begun_ns_;
  file.in_glob = true;
  if (file.target != found.target) files_.SetPlace(file, file.place, found.target);
  const bool changed =
      file.size_bytes != found.info.size_bytes || file.modified_ns != found.info.modified_ns;
  if (!changed) return;
  if (found.info.size_bytes > file.size_bytes) file.backlog.Grew(clock_.MonotonicNanos());
  file.size_bytes = found.info.size_bytes;
  file.modified_ns = found.info.modified_ns;
  const bool reported = file.event_in_scan + 1 >= scan_number_;
  file.silent_scans = reported ? 0 : file.silent_scans + 1;
  if (file.silent_scans >= kSilentScans) {
    watcher_.SetSilent(std::string(DirName(file.target.empty() ? file.place : file.target)));
    StartPolling();
  }
  const bool nothing_read =
      file.source != nullptr && file.source->Snapshot().identity.head.length == 0;
  if (file.size_bytes == 0 && file.identity.head.length == 0 && nothing_read &&
      file.compression == Compression::kNone) {
    FollowMissedCopies(file);  // Empty again, but touched.
  }
  if (file.state == FileState::kUndecided) {
    SeenUndecided(file);
  } else if (file.state == FileState::kFinished) {
    SeenFinished(file);
  } else {
    Wake(file);
  }
}

void Tailer::SeenUndecided(FollowedFile& file) {
  file.grown_ns = clock_.MonotonicNanos();
  const std::string head = ReadHeadAt(file.place);
  if (Original(file.group, file.place, file.identity.key, head) == nullptr) DecideCopy(file);
}

void Tailer::SeenFinished(FollowedFile& file) {
  const bool same = BeginsWith(ReadHeadAt(file.place), file.identity.head);
  if (same && file.compression != Compression::kNone) {
    if (file.incomplete) return;  // CheckArchive() has its time.
    file.state = file.place == file.path ? FileState::kReading : FileState::kRotated;
    MakeSource(file, nullptr, UniqueFd());
    return;
  }
  if (same && file.progress != nullptr && file.size_bytes == file.progress->processed_end()) return;
  if (same && file.progress != nullptr && file.size_bytes > file.progress->processed_end()) {
    file.state = file.place == file.path ? FileState::kReading : FileState::kRotated;
    attention_.insert(file.number);
    MakeSource(file, nullptr, UniqueFd());
    return;
  }
  // Other content under the same name: a file of its own, or the next copy. Looked at as a new one.
  positions_.Forget(file.key);
  files_.Remove(file.number);
  RequestScan();
}

void Tailer::MovedTo(FollowedFile& file, const std::string& place, bool in_glob) {
  const bool back = place == file.path;
  if (file.state == FileState::kReading && !back) {
    ++counters_.rotations;
    displaced_.push_back(file.number);
  }
  files_.SetPlace(file, place, {});
  file.in_glob = in_glob;
  if (file.state == FileState::kReading || file.state == FileState::kRotated ||
      file.state == FileState::kDeleted) {
    file.state = back ? FileState::kReading : FileState::kRotated;
    file.grown_ns = clock_.MonotonicNanos();
    attention_.insert(file.number);
  }
  if (file.source != nullptr) {
    file.source->SetPlace(place);
    if (!back) file.source->SetRotated();
  }
  PutRecord(file);
  Wake(file);
}

void Tailer::CheckUnseen(FollowedFile& file, DirectoryIndex& index) {
  if (file.place.empty()) {
    Wake(file);  // Nothing else tells whether a deleted file still grows.
    return;
  }
  const Result<FileStat> info = StatPath(file.place);
  if (info.ok() && info->regular && info->key == file.identity.key) {
    SeenOutside(file, *info);
    return;
  }
  if (file.compressed) return;  // Being read; it needs no place.
  if (!file.target.empty()) {
    // The link leads somewhere else now; the file may still be where it led to.
    const Result<FileStat> target = StatPath(file.target);
    if (target.ok() && target->key == file.identity.key) {
      MovedTo(file, std::string(file.target), /*in_glob=*/false);
      return;
    }
  }
  const std::string directory(DirName(file.target.empty() ? file.place : file.target));
  const auto moved = index.FindFile(directory, file.identity.key);
  if (moved) {
    MovedTo(file, *moved, /*in_glob=*/false);
  } else {
    Deleted(file);
  }
}

void Tailer::SeenOutside(FollowedFile& file, const FileStat& info) {
  const TargetGroup* const group = groups_.Find(file.group);
  file.in_glob = group != nullptr && group->Wants(file.place);
  if (file.state == FileState::kReading && !file.in_glob) {
    LeaveFile(file);
    return;
  }
  if (info.size_bytes == file.size_bytes && info.modified_ns == file.modified_ns) return;
  file.size_bytes = info.size_bytes;
  file.modified_ns = info.modified_ns;
  if (file.state == FileState::kFinished) {
    SeenFinished(file);
  } else {
    Wake(file);
  }
}

void Tailer::Deleted(FollowedFile& file) {
  if (file.state == FileState::kFinished || file.state == FileState::kUndecided) {
    Drop(file.number);
    return;
  }
  if (file.state == FileState::kReading) {
    ++counters_.rotations;
    displaced_.push_back(file.number);
  }
  if (file.state != FileState::kLeaving) file.state = FileState::kDeleted;
  file.in_glob = false;
  file.grown_ns = clock_.MonotonicNanos();
  attention_.insert(file.number);
  files_.SetPlace(file, {}, {});
  if (file.source != nullptr) {
    file.source->SetPlace({});
    file.source->SetRotated();
  }
  PutRecord(file);
  Wake(file);
}

}  // namespace agent
