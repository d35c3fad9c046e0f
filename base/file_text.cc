#include "base/file_text.h"

#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "base/clock.h"
#include "base/read_file.h"

namespace agent {

Result<bool> FileText::Refresh() {
  if (file_.empty()) return false;
  struct stat info {};
  if (::stat(file_.c_str(), &info) != 0) return ErrnoError(errno, file_);
  const int64_t mtime_ns = info.st_mtim.tv_sec * kNanosPerSecond + info.st_mtim.tv_nsec;
  if (mtime_ns == seen_mtime_ns_ && info.st_size == seen_size_ && info.st_ino == seen_inode_) {
    return false;
  }
  Result<std::string> text = ReadSmallFile(file_);
  if (!text.ok()) return std::move(text).error();
  text_ = std::move(text).value();
  seen_mtime_ns_ = mtime_ns;
  seen_size_ = info.st_size;
  seen_inode_ = info.st_ino;
  return true;
}

}  // namespace agent
