// What the tailer says of itself: positions, pages, metrics.

#include <algorithm>
#include <tuple>
#include <utility>

#include "agent/tail/tailer.h"

namespace agent {

PositionStore::Offsets Tailer::Positions() const {
  PositionStore::Offsets offsets;
  for (const auto& [number, file] : files_.all()) {
    if (file->progress == nullptr || !file->in_glob || file->place.empty()) continue;
    // There Promtail counts lines of the decoded text.
    if (file->compression != Compression::kNone) continue;
    const uint64_t settled = file->progress->min_settled();
    const auto [at, fresh] = offsets.try_emplace(file->place, settled);
    if (!fresh) at->second = std::min(at->second, settled);
  }
  return offsets;
}

std::vector<FileStatus> Tailer::Status() const {
  std::vector<FileStatus> all;
  for (const auto& [number, file] : files_.all()) {
    FileStatus status;
    status.path = file->path;
    status.place = file->place;
    status.job = file->job;
    status.labels = file->labels;
    status.device = file->identity.key.device;
    status.inode = file->identity.key.inode;
    status.source_id = file->key.id;
    status.generation = file->key.generation;
    status.state = file->state;
    status.size_bytes = file->size_bytes;
    status.error = file->error;
    status.progress = file->progress;
    if (file->progress != nullptr) {
      status.settled_offset = file->progress->min_settled();
      status.read_offset = file->progress->processed_end();
      status.lines = file->progress->lines();
    }
    const bool decoded = file->compression != Compression::kNone;
    if (decoded) status.size_bytes = status.read_offset;
    if (file->source != nullptr) {
      const SourceSnapshot snapshot = file->source->Snapshot();
      status.read_offset = snapshot.read_offset;
      status.size_bytes = std::max(status.size_bytes, snapshot.size_bytes);
      status.open = snapshot.open;
      status.error = snapshot.error;
      const uint64_t whole =
          status.size_bytes - std::min(status.size_bytes, snapshot.partial_bytes);
      if (file->backlog.since_ns() != 0 && status.settled_offset < whole) {
        status.lag_ns = clock_.MonotonicNanos() - file->backlog.since_ns();
      }
      if (!snapshot.needs_restart && status.size_bytes > snapshot.read_offset) {
        status.lag_bytes = status.size_bytes - snapshot.read_offset;
      }
    }
    all.push_back(std::move(status));
  }
  std::sort(all.begin(), all.end(), [](const FileStatus& a, const FileStatus& b) {
    return std::tie(a.path, a.source_id, a.generation) <
           std::tie(b.path, b.source_id, b.generation);
  });
  return all;
}

TailerCounters Tailer::counters() const {
  TailerCounters counters = counters_;
  for (const auto& [number, file] : files_.all()) {
    if (file->source != nullptr) ++counters.files_active;
    if (file->state == FileState::kRotated) ++counters.files_rotated;
    if (file->state == FileState::kDeleted) ++counters.files_deleted;
  }
  counters.files_open = context_->open_files.open();
  counters.polled_directories = watcher_.polled().size();
  counters.watches = watcher_.watches();
  const SourceCounters& sources = context_->counters;
  counters.read_bytes = sources.read_bytes;
  counters.truncations = sources.truncations;
  counters.lost_bytes = sources.lost_bytes;
  counters.lines_too_long = sources.read_lines_too_long;
  counters.bytes_too_long = sources.bytes_too_long;
  counters.read_errors = sources.read_errors;
  return counters;
}

}  // namespace agent
