#include "outputs/buffer/buffer_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/check.h"

namespace agent {
namespace {

constexpr uint64_t kMinFreeDefault = uint64_t{1} << 30;
// Of damaged ranges so much is kept to be looked at.
constexpr uint64_t kMaxKeptBytes = uint64_t{1} << 20;
constexpr uint64_t kMaxKeptInAll = uint64_t{16} << 20;
constexpr std::string_view kCursorName = "/cursor";
constexpr std::string_view kCorrupt = ".corrupt";

void SyncFolder(const std::string& folder) {
  const UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.valid()) ::fsync(fd.get());
}

uint64_t KeptBytes(const std::string& folder) {
  uint64_t bytes = 0;
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error)) {
    std::error_code unknown;
    const bool kept = at->path().extension() == kCorrupt;
    if (const auto size = kept ? at->file_size(unknown) : 0; !unknown) bytes += size;
  }
  return bytes;
}

}  // namespace

bool BufferQuota::HasRoom(uint64_t bytes) const {
  if (used_bytes + bytes > max_bytes) return false;
  struct statvfs info {};
  if (::statvfs(folder.c_str(), &info) != 0) return true;  // The write will say.
  const uint64_t whole = uint64_t{info.f_blocks} * info.f_frsize;
  const uint64_t keep = min_free_bytes.value_or(std::max(kMinFreeDefault, whole / 20));
  return uint64_t{info.f_bavail} * info.f_frsize >= keep + bytes;
}

BufferStore::BufferStore(StoreOptions options, BufferQuota& quota, const Clock& clock,
                         Logger& logger)
    : options_(std::move(options)), quota_(quota), clock_(clock), logger_(logger) {}

Result<std::unique_ptr<BufferStore>> BufferStore::Open(StoreOptions options, BufferQuota& quota,
                                                       const Clock& clock, Logger& logger) {
  std::unique_ptr<BufferStore> store(new BufferStore(std::move(options), quota, clock, logger));
  const std::string& folder = store->options_.folder;
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return ErrnoError(error.value(), "create " + folder);
  auto cursor = CursorFile::Open(folder + std::string(kCursorName));
  if (!cursor) return std::move(cursor).error();
  store->cursor_ = std::move(*cursor);
  Status recovered = store->Recover();
  if (!recovered.ok()) return std::move(recovered).error();
  SyncFolder(folder);
  SyncFolder(std::filesystem::path(folder).parent_path().string());
  return store;
}

BufferStore::~BufferStore() {
  const Status synced = cursor_.Sync();
  if (!synced.ok()) logger_.Debug("buffer", "cursor not synced", {{"folder", options_.folder}});
  for (const Segment& segment : segments_)
    quota_.used_bytes -= segment.now.size;
  if (!options_.remove_when_empty || !segments_.empty()) return;
  SyncFolder(options_.folder);  // No segment comes back when the cursor is gone.
  ::unlink((options_.folder + std::string(kCursorName)).c_str());
  ::rmdir(options_.folder.c_str());  // Unless something else is in it.
}

// --- Recovery.

Status BufferStore::Recover() {
  read_id_ = cursor_.id();
  const std::vector<std::string> paths = ListSegments(options_.folder);
  for (const std::string& path : paths)
    AddSegment(path, path == paths.back());
  uint64_t tail = cursor_.id();
  for (const Segment& segment : segments_)
    tail = std::max(tail, segment.now.last_id);
  // A cursor behind the newest batch is left alone: those ids may have been in use.
  next_id_ = tail + 1;
  while (!segments_.empty() && !segments_.front().damaged &&
         segments_.front().now.last_id <= cursor_.id())
    RemoveSegment(0);
  return {};
}

void BufferStore::AddSegment(const std::string& path, bool is_last) {
  auto file = SegmentFile::Open(path);
  if (!file) {
    logger_.Error("buffer", "a segment cannot be opened: its batches stay where they are",
                  {{"path", path}, {"error", file.error().message}});
    return;
  }
  const auto header = file->Header();
  if (header && header->kind != options_.kind) {
    logger_.Error("buffer", "a segment is of another kind of output: it stays where it is",
                  {{"path", path}, {"kind", header->kind}, {"expected", options_.kind}});
    return;
  }
  Segment segment{.path = path,
                  .now = {},
                  .synced = {},
                  .read_batches = 0,
                  .read_entries = 0,
                  .damaged = false};
  uint64_t damaged = 0;
  const uint64_t size = file->FileSize();
  const uint64_t whole = file->Walk(is_last, [&](const SegmentFile::Visit& visit) {
    if (!visit.header) return void(damaged += visit.size);
    segment.now.last_id = std::max(segment.now.last_id, visit.header->id);
    segment.now.blocks = std::max(segment.now.blocks, visit.header->number + 1);
    if (visit.header->id <= cursor_.id()) return;
    ++segment.now.batches;
    segment.now.entries += visit.header->entries;
  });
  segment.now.size = size;
  // Of the last one the end may be torn: whoever wrote it ended in the middle.
  if (is_last && whole < size) {
    logger_.Warn("buffer", "the end of the buffer is torn: it is cut off",
                 {{"path", path}, {"bytes", size - whole}, {"output", options_.output}});
    counters_.corrupt_bytes += size - whole;
    if (::truncate(path.c_str(), static_cast<off_t>(whole)) == 0) segment.now.size = whole;
    damaged -= std::min(damaged, size - whole);
  }
  segment.damaged = damaged > 0;
  if (segment.damaged || !header) {
    logger_.Warn("buffer", "a segment is damaged: what is whole in it will be delivered",
                 {{"path", path}, {"damaged_bytes", damaged}, {"output", options_.output}});
  }
  if (segment.now.batches == 0 && damaged == 0) {
    next_id_ = std::max(next_id_, segment.now.last_id + 1);
    ::unlink(path.c_str());
    return;
  }
  segment.synced = segment.now;
  quota_.used_bytes += segment.now.size;
  segments_.push_back(std::move(segment));
}

// --- Writing.

Status BufferStore::Append(const StoredBatch& batch, bool already_sent) {
  const Error full{ErrorCode::kNoSpace, "the buffer is full"};
  if (!quota_.HasRoom(batch.body.size)) return full;  // About: saves the work.
  const bool roll =
      !writer_.valid() || segments_.back().now.size + batch.body.size > options_.segment_bytes;
  const uint32_t number = roll ? 0 : segments_.back().now.blocks;
  const std::string_view block = codec_.Encode(batch, number);
  if (!quota_.HasRoom(block.size() + (roll ? kSegmentHeaderBytes : 0))) return full;
  if (roll) {
    Status rolled = Roll(batch.id);
    if (!rolled.ok()) return rolled;
  }
  Status written = WriteBlock(block);
  if (!written.ok()) return written;
  Segment& segment = segments_.back();
  ++segment.now.blocks;
  ++segment.now.batches;
  segment.now.entries += batch.origins.size();
  segment.now.last_id = batch.id;
  next_id_ = std::max(next_id_, batch.id + 1);
  if (already_sent) SkipToEnd(batch);
  return {};
}

Status BufferStore::Roll(uint64_t first_id) {
  if (writer_.valid()) unsynced_.push_back(std::move(writer_));
  const std::string path = options_.folder + "/" + SegmentName(first_id);
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!fd.valid()) return ErrnoError(errno, "create " + path);
  const std::string header = EncodeSegmentHeader(
      {.kind = options_.kind,
       .output_hash = XXH3_64bits(options_.output.data(), options_.output.size()),
       .first_id = first_id,
       .created_wall_ns = clock_.WallNanos()});
  const ssize_t size = ::pwrite(fd.get(), header.data(), header.size(), 0);
  if (size != static_cast<ssize_t>(header.size())) {
    const int reason = size < 0 ? errno : ENOSPC;
    ::unlink(path.c_str());
    return ErrnoError(reason, "write " + path);
  }
  writer_ = std::move(fd);
  folder_changed_ = true;
  Segment segment{.path = path,
                  .now = {},
                  .synced = {},
                  .read_batches = 0,
                  .read_entries = 0,
                  .damaged = false};
  segment.now.size = kSegmentHeaderBytes;
  quota_.used_bytes += kSegmentHeaderBytes;
  segments_.push_back(std::move(segment));
  return {};
}

Status BufferStore::WriteBlock(std::string_view block) {
  Segment& segment = segments_.back();
  std::size_t done = 0;
  while (done < block.size()) {
    const ssize_t count = ::pwrite(writer_.get(), block.data() + done, block.size() - done,
                                   static_cast<off_t>(segment.now.size + done));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      const Error error = ErrnoError(count < 0 ? errno : ENOSPC, "write " + segment.path);
      const int cut = ::ftruncate(writer_.get(), static_cast<off_t>(segment.now.size));
      // What cannot be taken back ends this segment: the next block begins another.
      if (cut != 0 || error.code == ErrorCode::kIo) unsynced_.push_back(std::move(writer_));
      if (segment.now.blocks == 0) RemoveSegment(segments_.size() - 1);
      return error;
    }
    done += static_cast<std::size_t>(count);
  }
  segment.now.size += block.size();
  quota_.used_bytes += block.size();
  return {};
}

Status BufferStore::Sync() {
  for (const UniqueFd& fd : unsynced_) {
    if (::fdatasync(fd.get()) != 0) return ErrnoError(errno, "sync " + options_.folder);
  }
  unsynced_.clear();
  if (writer_.valid() && ::fdatasync(writer_.get()) != 0) {
    return ErrnoError(errno, "sync " + segments_.back().path);
  }
  if (folder_changed_) SyncFolder(options_.folder);
  folder_changed_ = false;
  for (Segment& segment : segments_)
    segment.synced = segment.now;
  return {};
}

// After a failed fsync the kernel may have thrown the pages away: the files end where they were
// known to be on the disk, and are not written to again.
void BufferStore::DiscardUnsynced() {
  writer_.Reset();
  unsynced_.clear();
  for (std::size_t i = segments_.size(); i-- > 0;) {
    Segment& segment = segments_[i];
    if (segment.synced.size == segment.now.size) continue;
    if (segment.synced.blocks == 0) {
      RemoveSegment(i);
      continue;
    }
    if (::truncate(segment.path.c_str(), static_cast<off_t>(segment.synced.size)) != 0) {
      logger_.Debug("buffer", "segment not cut", {{"path", segment.path}});
    }
    quota_.used_bytes -= segment.now.size - segment.synced.size;
    segment.now = segment.synced;
    segment.read_batches = std::min(segment.read_batches, segment.now.batches);
    segment.read_entries = std::min(segment.read_entries, segment.now.entries);
    if (reader_index_ == i) {
      reader_offset_ = std::min(reader_offset_, segment.now.size);
      reader_number_ = std::min(reader_number_, segment.now.blocks);
    }
  }
}

// --- Stats.

StoreStats BufferStore::Stats() {
  StoreStats stats;
  stats.batches = sent_.size();
  stats.entries = sent_entries_;
  for (const Segment& segment : segments_) {
    stats.bytes += segment.now.size;
    stats.batches += segment.now.batches - segment.read_batches;
    stats.entries += segment.now.entries - segment.read_entries;
  }
  if (!sent_.empty()) {
    stats.oldest_wall_ns = sent_.begin()->second.created_wall_ns;
  } else if (stats.batches > 0 && OpenReader()) {
    const auto next = reader_->HeaderAt(reader_offset_, segments_[reader_index_].now.size);
    if (next) stats.oldest_wall_ns = next->created_wall_ns;
  }
  return stats;
}

void BufferStore::KeepDamaged(const std::string& path, uint64_t offset, uint64_t size) {
  size = std::min(size, kMaxKeptBytes);
  if (KeptBytes(options_.folder) + size > kMaxKeptInAll) return;
  const UniqueFd from(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const std::string kept = path + "-" + std::to_string(offset) + std::string(kCorrupt);
  const UniqueFd to(::open(kept.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  std::string bytes(size, '\0');
  const ssize_t got = ::pread(from.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
  if (!to.valid() || got <= 0) return;
  if (::write(to.get(), bytes.data(), static_cast<std::size_t>(got)) != got) ::unlink(kept.c_str());
}

}  // namespace agent
