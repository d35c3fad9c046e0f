// Appends batches to files: opens them, sees what others do to them, rotates them, and knows what
// of them is on the disk.

#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "outputs/file/appender.h"
#include "outputs/file/file_options.h"

namespace agent::file {

class FileAppender final : public Appender {
 public:
  // All of it outlives this.
  FileAppender(const FileOptions& options, const Clock& clock, Logger& logger);
  FileAppender(const FileAppender&) = delete;
  FileAppender& operator=(const FileAppender&) = delete;
  ~FileAppender() override = default;

  // A body is in the file whole or not at all; when that cannot be made so, the next call does, or
  // the next process.
  AppendResult Append(const AppendJob& job) override;
  // Closes files that nothing was written to for half a minute.
  void Tidy() override;

 private:
  struct OpenFile {
    UniqueFd fd;
    dev_t device = 0;
    ino_t inode = 0;
    uint64_t size = 0;         // Up to the end of the last whole batch.
    uint64_t synced_size = 0;  // Of that, on the disk.
    bool name_is_new = false;  // The folder is not on the disk yet.
    int64_t period = 0;        // Of rotate_interval, of what was written last.
    int64_t used_ns = 0;
  };
  // One that was closed: the same again needs no look at its end.
  struct ClosedFile {
    dev_t device = 0;
    ino_t inode = 0;
    uint64_t size = 0;
  };
  using Files = std::unordered_map<std::string, OpenFile>;

  Result<OpenFile*> Ready(const std::string& path, std::size_t body_bytes);
  Result<OpenFile*> Open(const std::string& path);
  Status Create(const std::string& path, OpenFile& file) const;
  Status Inspect(const std::string& path, OpenFile& file);
  Status CheckEnd(const std::string& path, OpenFile& file);
  [[nodiscard]] bool IsSame(const std::string& path, const OpenFile& file) const;
  [[nodiscard]] bool MustRotate(const OpenFile& file, std::size_t body_bytes) const;
  Status Rotate(const std::string& path);
  Status SetAside(const std::string& path, std::string_view why);
  Status Write(const std::string& path, OpenFile& file, const Bytes& body);
  Status Sync(const std::string& path, OpenFile& file) const;
  Status Close(const std::string& path);
  void CutToSynced(const std::string& path, const OpenFile& file);
  void MakeRoom();
  [[nodiscard]] int64_t PeriodOf(int64_t wall_ns) const;

  const FileOptions& options_;
  const Clock& clock_;
  Logger& logger_;
  Files files_;  // By path.
  std::unordered_map<std::string, ClosedFile> closed_;
  std::unordered_set<std::string> lost_;  // Paths of which something did not get to the disk.
};

}  // namespace agent::file
