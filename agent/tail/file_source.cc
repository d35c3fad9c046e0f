#include "agent/tail/file_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "agent/tail/glob.h"
#include "agent/tail/rotation_names.h"
#include "base/check.h"

namespace agent {
namespace {

// Bytes before the read offset that must be the same at the next read.
constexpr std::size_t kBeforeBytes = 32;
// A newline is searched for in this much before the worker turns to another source.
constexpr std::size_t kMaxSearchBytes = std::size_t{8} << 20;
// A file that keeps growing while its end is looked at is left until the next turn.
constexpr int kMaxEndChecks = 3;
constexpr std::size_t kCloseAfterEmfile = 64;
constexpr uint64_t kMaxHoleSearch = uint64_t{64} << 20;

}  // namespace

FileSource::FileSource(std::shared_ptr<SourceContext> context, TailSourceInit init)
    : TailSource(std::move(context), init),
      offset_(progress_->processed_end()),
      identity_(init.identity) {
  const bool open = init.fd.valid();
  {
    const MutexLock io(io_mutex_);
    const MutexLock lock(mutex_);
    orders_.place = std::move(init.place);
    snapshot_.open = open;
    fd_ = std::move(init.fd);
  }
  // Without the locks: the list of open files takes them under its own, to close one.
  if (open) this->context().open_files.Opened(this);
}

FileSource::~FileSource() {
  context().open_files.Closed(this);
}

ReadStatus FileSource::Read(BlockBuffer& buffer, std::size_t max_bytes, Chunk& chunk) {
  if (ended_) return ReadStatus::kEnded;
  if (TakeRestart()) return ReadStatus::kRestarted;
  const Orders orders = TakeOrders();
  if (orders.waits_for_restart || predecessor() != nullptr) return ReadStatus::kIdle;
  predecessor_.reset();

  const MutexLock io(io_mutex_);
  if (const Step failed = Open(orders)) return *failed;
  if (emptied_) SkipHole();
  if (Past(orders, offset_)) {
    if (const Step end = EndSource(orders, buffer, chunk)) return *end;
  }
  for (int i = 0; i < kMaxEndChecks; ++i) {
    if (const Step read = ReadLines(buffer, max_bytes, chunk)) {
      if (chunk.offset == 0 && !chunk.data.empty()) context().first_reads.Note(job(), fd_.get());
      return *read;
    }
    if (const Step end = AtEnd(orders, buffer, chunk)) return *end;
  }
  // It grows as fast as we look. An empty chunk brings the worker back.
  chunk = {std::string_view(), offset_};
  return ReadStatus::kData;
}

FileSource::Orders FileSource::TakeOrders() {
  const MutexLock lock(mutex_);
  return orders_;
}

bool FileSource::TakeRestart() {
  const MutexLock lock(mutex_);
  if (!restart_) return false;
  progress_ = std::move(restart_->progress);
  predecessor_ = std::move(restart_->predecessor);
  restart_.reset();
  orders_.waits_for_restart = false;
  offset_ = progress_->processed_end();
  searched_ = 0;
  skipping_ = false;
  before_.clear();
  if (encoding_ != nullptr) encoding_->Reset();
  largest_size_ = 0;
  snapshot_.needs_restart = false;
  snapshot_.unread_bytes = 0;
  snapshot_.read_offset = offset_;
  snapshot_.caught_up = false;
  return true;
}

FileSource::Step FileSource::Open(const Orders& orders) {
  if (fd_.valid()) return std::nullopt;
  context().open_files.MakeRoom();
  Result<UniqueFd> opened = OpenPlace(orders);
  if (!opened.ok() && (errno == EMFILE || errno == ENFILE) &&
      context().open_files.CloseSome(kCloseAfterEmfile) > 0) {
    opened = OpenPlace(orders);
  }
  if (!opened.ok()) return OpenFailed(opened.error(), orders);
  fd_ = std::move(opened).value();
  context().open_files.Opened(this);
  const MutexLock lock(mutex_);
  snapshot_.open = true;
  snapshot_.missing = false;
  snapshot_.error.clear();
  return std::nullopt;
}

Result<UniqueFd> FileSource::OpenPlace(const Orders& orders) {
  if (!orders.place.empty()) {
    UniqueFd fd = OpenForReading(orders.place);
    if (fd.valid() && IsOurs(fd.get())) return fd;
    if (!fd.valid() && errno != ENOENT && errno != ENOTDIR) return ErrnoError(errno, orders.place);
  }
  // Renamed since we heard of it.
  DirectoryIndex index;
  const std::string& near = orders.place.empty() ? name_ : orders.place;
  const auto found = index.FindFile(std::string(DirName(near)), identity_.key);
  if (found) {
    UniqueFd fd = OpenForReading(*found);
    // Under another name the inode alone proves nothing: it may have gone to a new file.
    const Result<std::string> head = fd.valid() ? ReadHead(fd.get()) : std::string();
    if (fd.valid() && IsOurs(fd.get()) && head.ok() && BeginsWith(*head, identity_.head)) return fd;
  }
  errno = ENOENT;
  return Error{ErrorCode::kNotFound, near + ": no longer there"};
}

bool FileSource::IsOurs(int fd) const {
  // Whether the content is still the same is looked at with every read.
  const Result<FileStat> info = StatFile(fd);
  return info.ok() && info->regular && info->key == identity_.key;
}

FileSource::Step FileSource::OpenFailed(const Error& error, const Orders& orders) {
  if (error.code != ErrorCode::kNotFound) return Failed(error);
  if (orders.rotated || orders.end != End::kNone) SetDrained();
  {
    const MutexLock lock(mutex_);
    snapshot_.missing = true;
    snapshot_.open = false;
  }
  if (orders.end != End::kNone) {
    ended_ = true;
    const MutexLock lock(mutex_);
    snapshot_.ended = true;
  }
  Changed();
  return ended_ ? ReadStatus::kEnded : ReadStatus::kIdle;
}

Result<std::size_t> FileSource::PRead(char* to, std::size_t bytes, uint64_t offset) {
  while (true) {
    const ssize_t n = ::pread(fd_.get(), to, bytes, static_cast<off_t>(offset));
    if (n >= 0) return static_cast<std::size_t>(n);
    if (errno == EINTR) continue;
    const int reason = errno;
    if (reason == ESTALE) {
      fd_.Reset();  // A network file system has lost the handle: open it anew next time.
      context().open_files.Closed(this);
    }
    return ErrnoError(reason, name_);
  }
}

FileSource::Step FileSource::ReadLines(BlockBuffer& buffer, std::size_t max_bytes, Chunk& chunk) {
  BeginText();
  while (true) {
    std::size_t want = max_bytes;
    const bool long_line = skipping_ || searched_ > max_bytes / 2;
    chunk = {std::string_view(), offset_};
    const Step searched = long_line ? SearchLongLine(buffer, max_bytes, want) : std::nullopt;
    if (searched || want == 0) return searched;
    // What was read before is read again along with the new: it must be the same still.
    const std::size_t before = before_.size();
    char* const data = buffer.Ensure(want + before);
    const Result<std::size_t> got = PRead(data, want + before, offset_ - before);
    if (!got.ok()) return Failed(got.error());
    if (*got < before) return ContentChanged("shorter");
    if (std::memcmp(data, before_.data(), before) != 0 || !SameHead()) {
      return ContentChanged("replaced");
    }
    const char* const text = data + before;
    const std::size_t bytes = *got - before;
    largest_size_ = std::max(largest_size_, offset_ + bytes);
    if (const std::size_t whole = EndOfLastLine(text, bytes); whole > 0) {
      HandOut(text, whole, chunk);
      return ReadStatus::kData;
    }
    searched_ = bytes;
    if (bytes < want) return std::nullopt;
  }
}

FileSource::Step FileSource::SearchLongLine(BlockBuffer& buffer, std::size_t max_bytes,
                                            std::size_t& want) {
  for (std::size_t searched = 0; searched < kMaxSearchBytes;) {
    char* const data = buffer.Ensure(max_bytes);
    const std::size_t unit = encoding_ != nullptr ? encoding_->unit() : 1;
    searched_ -= searched_ % unit;
    const uint64_t from = offset_ + searched_;
    const Result<std::size_t> got = PRead(data, max_bytes, from);
    if (!got.ok()) return Failed(got.error());
    if (!SameHead()) return ContentChanged("replaced");
    if (*got < unit) {
      searched_ += *got;
      want = 0;
      return std::nullopt;
    }
    largest_size_ = std::max(largest_size_, from + *got);
    const std::size_t line = EndOfFirstLine(data, *got);
    if (line == 0) {
      searched += *got;
      searched_ += *got;
      skipping_ = skipping_ || searched_ > context().max_line_bytes;
      continue;
    }
    const uint64_t line_end = from + line;
    want = max_bytes;
    if (skipping_ || line_end - offset_ > context().max_line_bytes) {
      SkipLine(line_end);
    } else {
      want = std::max<std::size_t>(max_bytes, line_end - offset_);
    }
    return std::nullopt;
  }
  return ReadStatus::kData;  // With an empty chunk: others read now, then we go on.
}

void FileSource::BeginText() {
  if (encoding_ == nullptr || encoding_->begun()) return;
  std::array<char, 2> head{};
  const Result<std::size_t> got = PRead(head.data(), head.size(), 0);
  if (got.ok()) encoding_->Begin({head.data(), *got});
}

void FileSource::SkipLine(uint64_t line_end) {
  const uint64_t bytes = line_end - offset_;
  offset_ = line_end;
  searched_ = 0;
  skipping_ = false;
  before_.clear();
  ProcessedBlock skipped;
  skipped.end = line_end;
  skipped.read_bytes = bytes;
  skipped.dropped_bytes = bytes;
  skipped.lines = 1;
  progress_->Advance(skipped);
  context().counters.read_bytes += bytes;
  context().counters.read_lines_too_long += 1;
  context().counters.bytes_too_long += bytes;
  context().logger.WriteLimited(LogLevel::kWarn, "line_too_long " + name_, "tail",
                                "line dropped: it is longer than memory allows",
                                {{"path", name_},
                                 {"bytes", bytes},
                                 {"limit_bytes", context().max_line_bytes},
                                 {"reason", "line_too_long"}});
}

void FileSource::HandOut(const char* data, std::size_t bytes, Chunk& chunk) {
  chunk.data = std::string_view(data, bytes);
  chunk.offset = offset_;
  if (bytes >= kBeforeBytes) {
    before_.assign(data + bytes - kBeforeBytes, kBeforeBytes);
  } else {
    before_.append(data, bytes);
    if (before_.size() > kBeforeBytes) before_.erase(0, before_.size() - kBeforeBytes);
  }
  offset_ += bytes;
  searched_ = 0;
  skipping_ = false;
  context().counters.read_bytes += bytes;
  bool head_grew = false;
  {
    const MutexLock lock(mutex_);
    head_grew = snapshot_.identity.head != identity_.head;
    snapshot_.read_offset = offset_;
    snapshot_.size_bytes = std::max(snapshot_.size_bytes, largest_size_);
    snapshot_.identity = identity_;
    snapshot_.caught_up = false;
    snapshot_.partial_bytes = 0;
    snapshot_.error.clear();
  }
  if (head_grew) Changed();  // The journal must know it by its head before it is rotated away.
}

FileSource::Step FileSource::AtEnd(const Orders& orders, BlockBuffer& buffer, Chunk& chunk) {
  const Result<FileStat> info = StatFile(fd_.get());
  if (!info.ok()) return Failed(info.error());
  if (info->size_bytes < offset_) return ContentChanged("shorter");
  if (!SameHead()) return ContentChanged("replaced");
  if (info->size_bytes < offset_ + searched_) searched_ = 0;  // An unfinished line was taken back.
  largest_size_ = std::max(largest_size_, info->size_bytes);
  if (info->size_bytes > offset_ + searched_) return std::nullopt;
  {
    const MutexLock lock(mutex_);
    snapshot_.read_offset = offset_;
    snapshot_.size_bytes = info->size_bytes;
    snapshot_.identity = identity_;
    snapshot_.partial_bytes = searched_;
    snapshot_.modified_ns = info->modified_ns;
    snapshot_.caught_up = true;
    snapshot_.error.clear();
  }
  if (orders.end != End::kNone) return EndSource(orders, buffer, chunk);
  if (orders.rotated && !drained()) {
    SetDrained();
    Changed();
  }
  context().open_files.Idle(this);
  return ReadStatus::kIdle;
}

FileSource::Step FileSource::EndSource(const Orders& orders, BlockBuffer& buffer, Chunk& chunk) {
  if (orders.end == End::kWhole && searched_ > context().max_line_bytes) {
    SkipLine(offset_ + searched_);
  } else if (orders.end == End::kWhole && searched_ > 0) {
    char* const data = buffer.Ensure(searched_);
    const Result<std::size_t> got = PRead(data, searched_, offset_);
    if (!got.ok()) return Failed(got.error());
    if (*got == 0) return std::nullopt;
    HandOut(data, *got, chunk);
    return ReadStatus::kData;
  }
  ended_ = true;
  fd_.Reset();
  context().open_files.Closed(this);
  SetDrained();
  {
    const MutexLock lock(mutex_);
    snapshot_.read_offset = offset_;
    snapshot_.ended = true;
    snapshot_.open = false;
  }
  Changed();
  return ReadStatus::kEnded;
}

bool FileSource::SameHead() {
  const bool grows = identity_.head.length < kHeadBytes;
  std::array<char, kHeadBytes> bytes{};
  const Result<std::size_t> got =
      PRead(bytes.data(), grows ? kHeadBytes : identity_.head.length, 0);
  if (!got.ok()) return true;  // Says nothing about the content; the next read will fail, too.
  const std::string_view head(bytes.data(), *got);
  if (!BeginsWith(head, identity_.head)) return false;
  if (head.size() > identity_.head.length) identity_.head = HashHead(head);
  return true;
}

ReadStatus FileSource::ContentChanged(std::string_view how) {
  const Result<FileStat> info = StatFile(fd_.get());
  const uint64_t size = info.ok() ? info->size_bytes : 0;
  const Result<std::string> head = ReadHead(fd_.get());
  const HeadHash old_head = identity_.head;
  identity_.head = head.ok() ? HashHead(*head) : HeadHash();
  uint64_t begin = 0;
  // Who writes without O_APPEND goes on at its old offset: before that there is a hole.
  if (head.ok() && !head->empty() && head->front() == '\0') begin = FirstNonNul(size);
  if (encoding_ != nullptr) begin -= begin % encoding_->unit();  // A zero may be half of a letter.
  emptied_ = size == 0;
  context().counters.truncations += 1;
  {
    const MutexLock lock(mutex_);
    snapshot_.needs_restart = true;
    ++snapshot_.content_changes;
    snapshot_.old_head = old_head;
    snapshot_.restart_at = begin;
    snapshot_.read_offset = offset_;
    snapshot_.unread_bytes = std::max(largest_size_, snapshot_.size_bytes) -
                             std::min(offset_, std::max(largest_size_, snapshot_.size_bytes));
    snapshot_.size_bytes = size;
    snapshot_.identity = identity_;
    snapshot_.caught_up = false;
    orders_.waits_for_restart = true;
  }
  context().logger.Debug("tail", "the content of a file has changed",
                         {{"path", name_}, {"how", how}, {"offset", offset_}, {"size", size}});
  Changed();
  return ReadStatus::kIdle;
}

void FileSource::SkipHole() {
  char first = '\0';
  const Result<std::size_t> got = PRead(&first, 1, 0);
  const Result<FileStat> info = StatFile(fd_.get());
  if (!got.ok() || *got == 0 || !info.ok()) return;
  emptied_ = false;
  if (first != '\0' || offset_ != 0) return;
  offset_ = FirstNonNul(info->size_bytes);
  ProcessedBlock skipped;
  skipped.end = offset_;
  progress_->Advance(skipped);
}

uint64_t FileSource::FirstNonNul(uint64_t size) {
  const off_t data = ::lseek(fd_.get(), 0, SEEK_DATA);
  uint64_t at = data > 0 ? static_cast<uint64_t>(data) : 0;
  std::array<char, 4096> bytes{};
  const uint64_t stop = std::min(size, at + kMaxHoleSearch);
  while (at < stop) {
    const Result<std::size_t> got = PRead(bytes.data(), bytes.size(), at);
    if (!got.ok() || *got == 0) break;
    const char* const begin = bytes.data();
    const char* const end = begin + *got;
    const char* const found = std::find_if(begin, end, [](char c) { return c != '\0'; });
    at += static_cast<uint64_t>(found - begin);
    if (found != end) break;
  }
  return at;
}

ReadStatus FileSource::Failed(const Error& error) {
  context().counters.read_errors += 1;
  context().logger.WriteLimited(LogLevel::kError, "read " + name_, "tail",
                                "file cannot be read: it is tried again",
                                {{"path", name_}, {"error", error.message}});
  bool rotated = false;
  {
    const MutexLock lock(mutex_);
    snapshot_.error = error.message;
    rotated = orders_.rotated;
  }
  // Its successor cannot wait for ever.
  if (rotated && error.code == ErrorCode::kIo) SetDrained();
  Changed();
  return ReadStatus::kIdle;
}

// --- The loop's side.

void FileSource::SetPlace(const std::string& path) {
  const MutexLock lock(mutex_);
  orders_.place = path;
}

void FileSource::SetRotated() {
  const MutexLock lock(mutex_);
  orders_.rotated = true;
}

void FileSource::Finish() {
  const MutexLock lock(mutex_);
  orders_.end = End::kWhole;
}

void FileSource::FinishAtCurrentEnd() {
  const MutexLock lock(mutex_);
  if (orders_.end == End::kNone) orders_.end = End::kCurrent;
  const Result<FileStat> info = StatPath(orders_.place);
  if (info.ok()) {
    orders_.end_at = info->size_bytes;
  } else if (orders_.end == End::kCurrent) {
    orders_.end = End::kWhole;  // Deleted: nothing but its end bounds it.
  }
}

void FileSource::Restart(std::shared_ptr<SourceProgress> progress,
                         std::shared_ptr<TailSource> predecessor) {
  const MutexLock lock(mutex_);
  restart_ = NewContent{std::move(progress), std::move(predecessor)};
}

UniqueFd FileSource::DuplicateFd() {
  const MutexLock io(io_mutex_);
  return fd_.valid() ? UniqueFd(::fcntl(fd_.get(), F_DUPFD_CLOEXEC, 0)) : UniqueFd();
}

bool FileSource::CloseIfIdle(bool even_unread) {
  if (!io_mutex_.try_lock()) return false;
  bool closed = false;
  if (fd_.valid()) {
    const MutexLock lock(mutex_);
    const bool findable = !orders_.rotated && !orders_.place.empty() && !snapshot_.needs_restart;
    if (findable && (even_unread || snapshot_.caught_up)) {
      fd_.Reset();
      snapshot_.open = false;
      closed = true;
    }
  }
  io_mutex_.unlock();
  return closed;
}

}  // namespace agent
