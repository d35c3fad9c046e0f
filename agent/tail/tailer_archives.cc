// Files of jobs with `decompression`: which are decoded when, a few at a time, and again when.

#include <algorithm>
#include <utility>

#include "agent/tail/tailer.h"

namespace agent {
namespace {

constexpr std::size_t kMaxArchives = 4;  // Decoded at a time: a decoder takes megabytes.
constexpr int64_t kRetryNanos = 10 * kNanosPerSecond;

}  // namespace

void Tailer::SetContents(FileContents contents) {
  groups_.SetContents(std::move(contents));
  for (const uint64_t number : files_.Numbers()) {
    const FollowedFile& file = *files_.Find(number);
    const TargetGroup* const group = groups_.Find(file.group);
    const bool other = group != nullptr && group->content.compression != file.compression;
    if (!other || file.source != nullptr) continue;
    attention_.erase(number);
    files_.Remove(number);
  }
}

void Tailer::StartArchives() {
  std::erase_if(running_archives_, [this](uint64_t number) {
    const FollowedFile* const file = files_.Find(number);
    return file == nullptr || file->source == nullptr;
  });
  const int64_t now_ns = clock_.MonotonicNanos();
  for (auto at = waiting_archives_.begin();
       at != waiting_archives_.end() && running_archives_.size() < kMaxArchives;) {
    FollowedFile* const file = files_.Find(*at);
    const bool gone = file == nullptr || file->source == nullptr;
    if (!gone && file->start_ns > now_ns && !finishing_all_) {
      ++at;
      continue;
    }
    if (!gone) {
      file->start_ns = now_ns;
      running_archives_.push_back(*at);
      host_->Start(file->source);
    }
    at = waiting_archives_.erase(at);
  }
}

void Tailer::ArchiveEnded(FollowedFile& file, const SourceSnapshot& snapshot) {
  const int64_t now_ns = clock_.MonotonicNanos();
  file.retry_ns = now_ns + std::max(kRetryNanos, 10 * (now_ns - file.start_ns));
  file.identity.head = snapshot.identity.head;
  // What came while it was read is found as a change.
  file.size_bytes = snapshot.raw_bytes;
  const Result<FileStat> info = StatPath(file.place);
  if (info.ok() && info->size_bytes != file.size_bytes) RequestScan();
  if (!snapshot.open) file.tried_size = kNeverTried;
  PutRecord(file);
  StartArchives();
}

// It ended in the middle of compressed data, or could not be opened. It is decoded from its
// beginning again, so not too often.
void Tailer::CheckArchive(FollowedFile& file, int64_t now_ns) {
  if (now_ns < file.retry_ns) return;
  file.retry_ns = now_ns + kRetryNanos;
  if (file.place.empty()) {
    file.incomplete = false;  // Nothing will come any more.
    return;
  }
  const Result<FileStat> info = StatPath(file.place);
  if (!info.ok() || info->key != file.identity.key) return;  // A scan will tell.
  const bool changed = info->size_bytes != file.tried_size || info->modified_ns != file.tried_ns;
  if (!changed) return;
  file.size_bytes = info->size_bytes;
  file.modified_ns = info->modified_ns;
  file.state = file.place == file.path ? FileState::kReading : FileState::kRotated;
  MakeSource(file, nullptr, UniqueFd());
}

}  // namespace agent
