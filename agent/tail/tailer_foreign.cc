// Taking over from another program that has left its offsets in positions.yaml: Promtail, which
// knows a file by its path alone.

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "agent/tail/container_time.h"
#include "agent/tail/tailer.h"

namespace agent {
namespace {

std::string CursorKeyOf(std::string_view container) {
  return "cursor-" + std::string(container);
}

std::optional<int64_t> ParseSecond(const std::string& text) {
  int64_t second = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), second);
  if (error != std::errc() || end != text.data() + text.size() || second <= 0) return std::nullopt;
  return second;
}

}  // namespace

void Tailer::ApplyForeign(NewFile& init) {
  if (init.group->streams) ApplyContainerCursor(init);
  const std::optional<uint64_t> offset = positions_.Foreign(init.place);
  if (!offset) return;
  // For every job and label set that reads the path: forgotten when all have taken it up.
  foreign_taken_.push_back(init.place);
  if (init.group->content.compression != Compression::kNone) {
    logger_.Info("tail",
                 "a position of another program counts lines of a compressed file: not used",
                 {{"path", init.place}, {"position", *offset}});
    return;
  }
  if (*offset > init.info.size_bytes) return;  // Of a file that is no more.
  SettleAt(init, *offset);
}

void Tailer::SettleAt(NewFile& init, uint64_t offset) const {
  init.record.settled.clear();
  for (const std::string& id : output_ids_)
    init.record.settled.emplace_back(id, offset);
}

void Tailer::ApplyContainerCursor(NewFile& init) const {
  const std::string_view container = ContainerOfLog(init.place);
  if (container.empty()) return;
  const auto second = ParseSecond(positions_.Cursor(CursorKeyOf(container)));
  if (!second) return;
  // Where the cursor is our own, this is not behind what has settled.
  const std::optional<uint64_t> offset = OffsetOfSecond(init.place, *second);
  const uint64_t settled = init.record.settled.empty() ? 0 : init.record.MinSettled();
  if (!offset || *offset <= settled) return;
  logger_.Info("tail", "a container's log goes on at the second that another program has noted",
               {{"path", init.place}, {"second", *second}, {"offset", *offset}});
  SettleAt(init, *offset);
}

void Tailer::NoteContainerCursors() {
  for (const uint64_t number : files_.Numbers()) {
    FollowedFile* const file = files_.Find(number);
    if (!file->streams || file->progress == nullptr || file->place != file->path) continue;
    const std::string_view container = ContainerOfLog(file->place);
    const uint64_t settled = file->progress->min_settled();
    if (container.empty() || settled == file->cursor_noted_at) continue;
    const std::optional<int64_t> second = SecondBefore(file->place, settled);
    if (!second) continue;
    file->cursor_noted_at = settled;
    positions_.SetCursor(CursorKeyOf(container), std::to_string(*second));
  }
}

FollowedFile* Tailer::FollowForeign(const ScannedFile& found, DirectoryIndex& index,
                                    const RecordIndex& records) {
  const std::optional<uint64_t> offset = positions_.Foreign(found.path);
  TargetGroup& group = *groups_.Find(found.group);
  if (!offset || group.content.compression != Compression::kNone) return nullptr;
  const int64_t written_ns = positions_.loaded_modified_ns();
  const auto earlier = FindEarlier(index, found.path, TargetOf(group, found.path),
                                   {*offset, written_ns}, UnknownIn(group.id));
  if (!earlier) return nullptr;
  foreign_taken_.push_back(found.path);
  NewFile init;
  init.group = &group;
  init.path = found.path;
  init.place = earlier->path;
  init.identity = {earlier->info.key, HashHead(earlier->head)};
  init.info = earlier->info;
  init.state = FileState::kRotated;
  init.in_glob = group.Wants(earlier->path);
  SettleAt(init, *offset);
  logger_.Info("tail",
               "a file was rotated after another program had stopped: it is read to its end",
               {{"path", found.path}, {"now_at", earlier->path}, {"offset", *offset}});
  FollowedFile& rest = Follow(std::move(init));
  ++counters_.rotations;
  return FollowNewer(group, &rest, {rest.modified_ns, written_ns},
                     {found.path, found.info.key, HashHead(found.head)}, index, records);
}

void Tailer::TakeForeign(RecordIndex& records) {
  for (const std::string& path : std::exchange(foreign_taken_, {})) {
    positions_.TakeForeign(path);
    // What was read here before the other program came, and went away meanwhile, it has seen to.
    for (const SourceRecord* const record : records.OfPath(path)) {
      records.Claim(record->key);
      to_forget_.push_back(record->key);
    }
  }
}

void Tailer::ForgetLeft() {
  for (const SourceKey& key : std::exchange(to_forget_, {}))
    positions_.Forget(key);
}

}  // namespace agent
