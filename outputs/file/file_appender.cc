#include "outputs/file/file_appender.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "outputs/file/file_tail.h"
#include "outputs/file/frame_compressor.h"
#include "outputs/file/rotation.h"

namespace agent::file {
namespace {

constexpr int64_t kIdleNs = 30 * kNanosPerSecond;
constexpr std::size_t kMaxClosed = 4096;
constexpr int kOpenFlags = O_RDWR | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;

std::string FolderOf(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

FileAppender::FileAppender(const FileOptions& options, const Clock& clock, Logger& logger)
    : options_(options), clock_(clock), logger_(logger) {}

AppendResult FileAppender::Append(const AppendJob& job) {
  AppendResult result;
  Status status;
  for (const Bytes& made : job.bodies) {
    const Bytes body = Fitting(made, options_.compression, options_.compression_level);
    const Result<OpenFile*> file = Ready(job.path, body.size);
    const uint64_t before = file.ok() ? (*file)->size : 0;
    status = file.ok() ? Write(job.path, **file, body) : Status(file.error());
    if (!status.ok()) break;
    if ((*file)->synced_size == before) {
      // So far it is on the disk, and what was before it in the file's predecessors.
      result.synced = true;
      result.safe = result.appended;
    }
    ++result.appended;
  }
  if (job.sync || options_.sync == FileSync::kAlways) {
    const auto open = files_.find(job.path);
    const Status synced = open == files_.end() ? Status() : Sync(job.path, open->second);
    if (synced.ok()) {
      result.synced = true;
      result.safe = result.appended;
    } else {
      lost_.insert(job.path);
      status = synced;
    }
  }
  if (!status.ok()) result.error = status.error().message;
  if (lost_.erase(job.path) > 0) {
    // Where it ends now is not known. What is on the disk for sure stays, the rest comes again.
    const auto open = files_.find(job.path);
    if (open != files_.end()) {
      CutToSynced(job.path, open->second);
      files_.erase(open);
    }
    closed_.erase(job.path);
    AppendResult lost;
    lost.lost = true;
    lost.error = std::move(result.error);
    result = std::move(lost);
    if (result.error.empty()) result.error = "sync " + job.path + " failed";
  }
  return result;
}

// The file, so that the body may be appended to it now.
Result<FileAppender::OpenFile*> FileAppender::Ready(const std::string& path,
                                                    std::size_t body_bytes) {
  auto found = files_.find(path);
  if (found != files_.end() && !IsSame(path, found->second)) {
    Status closed = Close(path);
    if (!closed.ok()) return std::move(closed).error();
    closed_.erase(path);
    found = files_.end();
  }
  for (int tries = 0; tries < 2; ++tries) {
    if (found == files_.end()) {
      Result<OpenFile*> opened = Open(path);
      if (!opened.ok()) return opened;
      found = files_.find(path);
    }
    if (!MustRotate(found->second, body_bytes)) break;
    Status rotated = Rotate(path);
    if (!rotated.ok()) return std::move(rotated).error();
    found = files_.end();
  }
  if (found == files_.end()) return Open(path);
  found->second.used_ns = clock_.MonotonicNanos();
  return &found->second;
}

// The path is still that file's, and it has what was written to it.
bool FileAppender::IsSame(const std::string& path, const OpenFile& file) const {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && info.st_dev == file.device &&
         info.st_ino == file.inode && static_cast<uint64_t>(info.st_size) == file.size;
}

int64_t FileAppender::PeriodOf(int64_t wall_ns) const {
  const int64_t interval = std::chrono::nanoseconds(options_.rotate_interval).count();
  return interval == 0 ? 0 : wall_ns / interval;
}

bool FileAppender::MustRotate(const OpenFile& file, std::size_t body_bytes) const {
  if (file.size == 0) return false;
  const bool full = options_.rotate_bytes > 0 && file.size + body_bytes > options_.rotate_bytes;
  return full || PeriodOf(clock_.WallNanos()) > file.period;
}

Status FileAppender::Rotate(const std::string& path) {
  Status closed = Close(path);
  if (!closed.ok()) return closed;
  closed_.erase(path);
  const Result<std::string> rotated = RotateAway(path, clock_.WallNanos());
  if (!rotated.ok()) return rotated.error();
  const Status removed = RemoveOldest(path, options_.keep);
  if (!removed.ok()) {
    logger_.WriteLimited(LogLevel::kWarn, "file_keep:" + options_.name, "file",
                         "old rotated files stay",
                         {{"output", options_.name}, {"error", removed.error().message}});
  }
  return {};
}

// --- Opening.

Result<FileAppender::OpenFile*> FileAppender::Open(const std::string& path) {
  MakeRoom();
  OpenFile file;
  // Twice: what cannot be judged is set aside, and then there is none.
  for (int tries = 0; tries < 2 && !file.fd.valid(); ++tries) {
    file.fd.Reset(::open(path.c_str(), kOpenFlags));
    if (!file.fd.valid() && errno != ENOENT) return ErrnoError(errno, "open " + path);
    Status ready = file.fd.valid() ? Inspect(path, file) : Create(path, file);
    if (!ready.ok()) return std::move(ready).error();
  }
  file.used_ns = clock_.MonotonicNanos();
  OpenFile& kept = files_[path];
  kept = std::move(file);
  return &kept;
}

Status FileAppender::Create(const std::string& path, OpenFile& file) const {
  std::error_code error;
  std::filesystem::create_directories(FolderOf(path), error);
  if (error) return ErrnoError(error.value(), "create " + FolderOf(path));
  file.fd.Reset(::open(path.c_str(), kOpenFlags | O_CREAT | O_EXCL, options_.mode));
  if (!file.fd.valid()) return ErrnoError(errno, "create " + path);
  const bool owned =
      options_.owner != static_cast<uid_t>(-1) || options_.group != static_cast<gid_t>(-1);
  // Whatever the umask is.
  if (::fchmod(file.fd.get(), options_.mode) != 0 ||
      (owned && ::fchown(file.fd.get(), options_.owner, options_.group) != 0)) {
    const int failed = errno;
    ::unlink(path.c_str());
    return ErrnoError(failed, "set mode and owner of " + path);
  }
  struct stat info {};
  if (::fstat(file.fd.get(), &info) != 0) return ErrnoError(errno, "look at " + path);
  file.device = info.st_dev;
  file.inode = info.st_ino;
  file.name_is_new = true;
  file.period = PeriodOf(clock_.WallNanos());
  // As below; somebody would have to be very quick.
  ::flock(file.fd.get(), LOCK_EX | LOCK_NB);
  return {};
}

// A file that was there. Leaves the descriptor empty when the file was set aside.
Status FileAppender::Inspect(const std::string& path, OpenFile& file) {
  struct stat info {};
  if (::fstat(file.fd.get(), &info) != 0) return ErrnoError(errno, "look at " + path);
  if (!S_ISREG(info.st_mode)) {
    return Error{ErrorCode::kInvalid, path +
                                          " is not a regular file (for standard output there is"
                                          " the output stdout)"};
  }
  // Two who write to one file would cut off each other's lines. A file system without locks has
  // none.
  if (::flock(file.fd.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    return Error{ErrorCode::kUnavailable, path + " is being written by somebody else"};
  }
  file.device = info.st_dev;
  file.inode = info.st_ino;
  file.size = static_cast<uint64_t>(info.st_size);
  file.period =
      PeriodOf(info.st_mtim.tv_sec * kNanosPerSecond + static_cast<int64_t>(info.st_mtim.tv_nsec));
  const auto closed = closed_.find(path);
  const bool known = closed != closed_.end() && closed->second.device == file.device &&
                     closed->second.inode == file.inode && closed->second.size == file.size;
  Status checked = known ? Status() : CheckEnd(path, file);
  file.synced_size = file.size;
  return checked;
}

// Makes the file end with a whole line or frame.
Status FileAppender::CheckEnd(const std::string& path, OpenFile& file) {
  const Result<FileTail> tail =
      JudgeTail(file.fd.get(), file.size, options_.compression, options_.format);
  if (!tail.ok()) return tail.error();
  if (tail->state == FileTail::State::kUnknown) {
    file.fd.Reset();
    return SetAside(path, "its end is not of this output");
  }
  if (tail->state == FileTail::State::kWhole) return {};
  if (::ftruncate(file.fd.get(), static_cast<off_t>(tail->whole_bytes)) != 0)
    return ErrnoError(errno, "cut " + path);
  logger_.Warn(
      "file", "the unfinished end of a file was cut off; its lines come again",
      {{"output", options_.name}, {"path", path}, {"bytes", file.size - tail->whole_bytes}});
  file.size = tail->whole_bytes;
  return {};
}

Status FileAppender::SetAside(const std::string& path, std::string_view why) {
  const Result<std::string> rotated = RotateAway(path, clock_.WallNanos());
  if (!rotated.ok()) return rotated.error();
  logger_.Warn("file", "a file that cannot be continued was renamed",
               {{"output", options_.name}, {"path", path}, {"to", *rotated}, {"why", why}});
  return {};
}

// --- Writing.

Status FileAppender::Write(const std::string& path, OpenFile& file, const Bytes& body) {
  std::size_t done = 0;
  while (done < body.size) {
    const ssize_t count = ::write(file.fd.get(), body.data.get() + done, body.size - done);
    if (count < 0 && errno == EINTR) continue;
    if (count > 0) {
      done += static_cast<std::size_t>(count);
      continue;
    }
    const int failed = count < 0 ? errno : ENOSPC;
    // No half batch stays; if it cannot be cut off now, the size tells when it is opened again.
    if (done > 0 && ::ftruncate(file.fd.get(), static_cast<off_t>(file.size)) != 0) {
      static_cast<void>(Close(path));
      closed_.erase(path);
    }
    return ErrnoError(failed, "write " + path);
  }
  file.size += body.size;
  file.period = PeriodOf(clock_.WallNanos());
  return {};
}

Status FileAppender::Sync(const std::string& path, OpenFile& file) const {
  if (options_.sync == FileSync::kNever) return {};
  if (file.synced_size != file.size && ::fdatasync(file.fd.get()) != 0)
    return ErrnoError(errno, "sync " + path);
  file.synced_size = file.size;
  if (!file.name_is_new) return {};
  const std::string folder = FolderOf(path);
  const UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid() || ::fsync(fd.get()) != 0) return ErrnoError(errno, "sync " + folder);
  file.name_is_new = false;
  return {};
}

// What it has is on the disk then, or the path among those of which something is lost.
Status FileAppender::Close(const std::string& path) {
  const auto found = files_.find(path);
  if (found == files_.end()) return {};
  OpenFile& file = found->second;
  Status synced = Sync(path, file);
  if (synced.ok()) {
    if (closed_.size() >= kMaxClosed) closed_.clear();
    closed_[path] = {file.device, file.inode, file.size};
  } else {
    lost_.insert(path);
    CutToSynced(path, file);
  }
  files_.erase(found);
  return synced;
}

// Closes the one that was not used for longest.
void FileAppender::MakeRoom() {
  while (files_.size() >= options_.max_open_files) {
    const auto oldest = std::min_element(
        files_.begin(), files_.end(),
        [](const auto& a, const auto& b) { return a.second.used_ns < b.second.used_ns; });
    static_cast<void>(Close(std::string(oldest->first)));  // Failures are in lost_.
  }
}

// What was not known to be on the disk will come again; if it cannot be cut off, it is there twice.
void FileAppender::CutToSynced(const std::string& path, const OpenFile& file) {
  if (::ftruncate(file.fd.get(), static_cast<off_t>(file.synced_size)) == 0) return;
  logger_.WriteLimited(
      LogLevel::kWarn, "file_cut:" + path, "file",
      "what may not be on the disk cannot be cut off: it may be there twice",
      {{"output", options_.name}, {"path", path}, {"error", ErrnoError(errno, "cut").message}});
}

void FileAppender::Tidy() {
  const int64_t now = clock_.MonotonicNanos();
  std::vector<std::string> idle;
  for (const auto& [path, file] : files_) {
    if (now - file.used_ns >= kIdleNs) idle.push_back(path);
  }
  for (const std::string& path : idle)
    static_cast<void>(Close(path));
}

}  // namespace agent::file
