#include "agent/tail/docker_log_source.h"

#include <cstring>

namespace agent {

ReadStatus DockerLogSource::Read(BlockBuffer& buffer, std::size_t max_bytes, Chunk& chunk) {
  std::size_t taken = 0;
  bool empty = false;
  {
    const MutexLock lock(mutex_);
    if (waiting_.empty()) return ended_ ? ReadStatus::kEnded : ReadStatus::kIdle;
    taken = waiting_.size();
    if (taken > max_bytes) {
      // Up to the last line that fits, or one that is longer.
      std::size_t end = waiting_.rfind('\n', max_bytes - 1);
      if (end == std::string::npos) end = waiting_.find('\n', max_bytes);
      taken = end + 1;
    }
    char* const data = buffer.Ensure(taken);
    std::memcpy(data, waiting_.data(), taken);
    waiting_.erase(0, taken);
    empty = waiting_.empty();
    chunk.data = std::string_view(data, taken);
  }
  chunk.offset = offset_;
  offset_ += taken;
  if (empty) init_.drained();
  return ReadStatus::kData;
}

std::size_t DockerLogSource::Add(std::string_view lines) {
  const MutexLock lock(mutex_);
  waiting_ += lines;
  return waiting_.size();
}

void DockerLogSource::End() {
  const MutexLock lock(mutex_);
  ended_ = true;
}

}  // namespace agent
