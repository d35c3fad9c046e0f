// What happens to a file after it was found: truncation, copies of it, and its end.

#include <algorithm>
#include <utility>

#include "agent/tail/tailer.h"

namespace agent {
namespace {

constexpr int64_t kRetryNanos = 5 * kNanosPerSecond;
constexpr int64_t kParkedNanos = 60 * kNanosPerSecond;
constexpr int64_t kUnclaimedNanos = 1800 * kNanosPerSecond;

int64_t Nanos(std::chrono::milliseconds time) {
  return time.count() * kNanosPerMilli;
}

}  // namespace

void Tailer::Housekeep() {
  const int64_t now_ns = clock_.MonotonicNanos();
  const std::vector<uint64_t> numbers(attention_.begin(), attention_.end());
  for (const uint64_t number : numbers) {
    FollowedFile* const file = files_.Find(number);
    if (file == nullptr) {
      attention_.erase(number);
    } else {
      CheckWaiting(*file, now_ns);
    }
  }
  if (now_ns - unclaimed_checked_ns_ > kUnclaimedNanos) {
    if (unclaimed_checked_ns_ != 0) MarkUnclaimed();
    unclaimed_checked_ns_ = now_ns;
  }
  StartSources();
  positions_.Commit();
}

void Tailer::CheckWaiting(FollowedFile& file, int64_t now_ns) {
  if (file.parked) {
    if (now_ns - resumed_ns_ > kParkedNanos) Drop(file.number);
    return;
  }
  if (file.source != nullptr && !file.source->Snapshot().error.empty()) {
    if (now_ns < file.retry_ns) return;
    file.retry_ns = now_ns + kRetryNanos;
    Wake(file);
    return;
  }
  switch (file.state) {
    case FileState::kReading:
      attention_.erase(file.number);
      return;
    case FileState::kUndecided:
      if (now_ns - file.grown_ns >= Nanos(options_.copy_decision) && !CopiedAndTruncated(file)) {
        DecideCopy(file);
      }
      return;
    case FileState::kRotated:
    case FileState::kDeleted:
      CheckFinished(file, now_ns);
      return;
    case FileState::kFinished:
    case FileState::kLeaving:
      if (file.incomplete && file.source == nullptr && file.state == FileState::kFinished) {
        CheckArchive(file, now_ns);
        return;
      }
      if (file.source != nullptr || !Settled(file)) return;
      if (file.compressed) positions_.Forget(file.key);
      if (file.in_glob && file.state == FileState::kFinished && !file.compressed) {
        attention_.erase(file.number);
      } else {
        Drop(file.number);
      }
      return;
  }
}

bool Tailer::Settled(const FollowedFile& file) {
  return file.progress == nullptr ||
         (file.progress->idle() && file.progress->min_settled() >= file.progress->processed_end());
}

void Tailer::CheckFinished(FollowedFile& file, int64_t now_ns) {
  if (file.source == nullptr || file.finishing || file.compressed) return;
  const SourceSnapshot snapshot = file.source->Snapshot();
  const uint64_t seen = snapshot.read_offset + snapshot.partial_bytes;
  const bool at_end = snapshot.caught_up || snapshot.missing;
  if (!at_end || snapshot.needs_restart || seen != file.grown_offset) {
    file.grown_offset = seen;
    file.grown_ns = now_ns;
    return;
  }
  if (!Settled(file) || now_ns - file.grown_ns < Nanos(options_.rotated_idle)) return;
  file.finishing = true;
  file.source->Finish();
  Wake(file);
}

void Tailer::MarkUnclaimed() {
  std::vector<SourceRecord> unclaimed;
  for (const auto& [key, record] : positions_.state().sources) {
    if (record.gone_since_s == 0 && !files_.Has(key)) unclaimed.push_back(record);
  }
  for (SourceRecord& record : unclaimed) {
    record.gone_since_s = NowSeconds();
    positions_.Put(std::move(record));
  }
}

bool Tailer::CopiedAndTruncated(const FollowedFile& copy) {
  const FollowedFile* const original = files_.Find(copy.copy_of);
  if (original == nullptr || original->source == nullptr || original->place.empty()) return false;
  // Its reader may not have come to it yet: outputs that are behind hold it back.
  const Result<FileStat> info = StatPath(original->place);
  if (!info.ok() || info->key != original->identity.key) return true;  // The next scan finds it.
  return info->size_bytes < copy.size_bytes ||
         !BeginsWith(ReadHeadAt(original->place), original->identity.head);
}

void Tailer::DecideCopy(FollowedFile& file) {
  file.state = FileState::kReading;
  file.copy_of = 0;
  file.identity.head = HashHead(ReadHeadAt(file.place));
  MakeProgress(file, std::vector<uint64_t>(output_ids_.size(), 0));
  MakeSource(file, nullptr, UniqueFd());
  PutRecord(file);
}

void Tailer::ContentChanged(FollowedFile& file, const SourceSnapshot& snapshot) {
  file.content_changes = snapshot.content_changes;
  file.identity.head = snapshot.old_head;  // It may have grown since we looked.
  const SourceKey old_key = file.key;
  files_.SetKey(file, {old_key.id, old_key.generation + 1});
  DirectoryIndex index;
  FollowedFile* before = ContinueInCopy(file, old_key, snapshot, index);
  if (before != nullptr) {
    // It may have been copied and truncated again since.
    const RecordIndex records(positions_.state(), [](const SourceKey&) { return true; });
    before = FollowBetween(*before, {file.path, file.identity.key, snapshot.identity.head}, index,
                           records);
  } else {
    positions_.Forget(old_key);
    context_->counters.lost_bytes += snapshot.unread_bytes;
    if (snapshot.unread_bytes > 0) {
      logger_.WriteLimited(LogLevel::kWarn, "truncated " + file.path, "tail",
                           "file truncated before it was read: its end is lost",
                           {{"path", file.path},
                            {"unread_bytes", snapshot.unread_bytes},
                            {"hint", "rotate with create, not copytruncate"}});
    } else {
      logger_.WriteLimited(LogLevel::kInfo, "truncated " + file.path, "tail",
                           "file truncated or replaced: it is read from its beginning",
                           {{"path", file.path}, {"position_before", snapshot.read_offset}});
    }
  }
  file.identity.head = snapshot.identity.head;
  const Result<FileStat> now = StatPath(file.place);
  if (now.ok()) file.modified_ns = now->modified_ns;
  MakeProgress(file, std::vector<uint64_t>(output_ids_.size(), snapshot.restart_at));
  PutRecord(file);
  file.source->Restart(file.progress, before != nullptr ? before->source : nullptr);
  StartSources();
  Wake(file);
}

void Tailer::FollowMissedCopies(FollowedFile& file) {
  FollowedFile* latest = nullptr;
  for (FollowedFile* const other : files_.FindByPath(file.group, file.path)) {
    const bool later = latest == nullptr || other->number > latest->number;
    if (other->number != file.number && later) latest = other;
  }
  if (latest == nullptr) return;  // Too long ago to tell them from those that were read.
  DirectoryIndex index;
  const RecordIndex records(positions_.state(), [](const SourceKey&) { return true; });
  FollowBetween(*latest, {file.path, file.identity.key, file.identity.head}, index, records);
}

FollowedFile* Tailer::ContinueInCopy(FollowedFile& file, const SourceKey& old_key,
                                     const SourceSnapshot& snapshot, DirectoryIndex& index) {
  const auto unknown = [this, &file](const FileKey& key) {
    const FollowedFile* const other = files_.FindByIdentity(file.group, key);
    return other == nullptr || other->state == FileState::kUndecided ||
           other->state == FileState::kFinished;
  };
  const auto found = FindCopy(index, file.target.empty() ? file.path : file.target, file.identity,
                              snapshot.read_offset, snapshot.modified_ns, unknown);
  if (!found) return nullptr;
  NewFile init;
  init.group = groups_.Find(file.group);
  if (init.group == nullptr) return nullptr;
  if (FollowedFile* const other = files_.FindByIdentity(file.group, found->info.key)) {
    if (other->progress != nullptr) positions_.Forget(other->key);
    attention_.erase(other->number);
    files_.Remove(other->number);
  }
  init.path = file.path;
  init.place = found->path;
  init.identity = {found->info.key, HashHead(found->head)};
  init.info = found->info;
  init.record.key = old_key;
  init.lineage = file.lineage;
  init.state = FileState::kRotated;
  init.in_glob = init.group->Wants(found->path);
  // What is on its way of the old content settles there, too.
  init.progress = file.progress;
  const std::shared_ptr<std::atomic<uint64_t>> owner = file.owner;
  FollowedFile& taken = Follow(std::move(init));
  taken.owner = owner;
  if (owner != nullptr) owner->store(taken.number);
  ++counters_.copies_recovered;
  logger_.Info("tail", "file truncated after it was copied: the copy is read to its end",
               {{"path", file.path}, {"copy", found->path}, {"offset", snapshot.read_offset}});
  return &taken;
}

}  // namespace agent
