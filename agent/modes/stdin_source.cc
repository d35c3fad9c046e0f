#include "agent/modes/stdin_source.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

namespace agent {

StdinSource::StdinSource(UniqueFd fd, std::string job, Labels labels, std::size_t outputs,
                         Logger& logger)
    : fd_(std::move(fd)),
      job_(std::move(job)),
      labels_(std::move(labels)),
      progress_(std::make_shared<SourceProgress>(job_, std::vector<uint64_t>(outputs, 0), nullptr)),
      logger_(logger) {}

ssize_t StdinSource::Fill(BlockBuffer& buffer, std::size_t max_bytes) {
  char* data = buffer.Ensure(incomplete_.size() + max_bytes);
  std::memcpy(data, incomplete_.data(), incomplete_.size());
  for (;;) {
    pollfd ready{fd_.get(), POLLIN, 0};
    // A regular file is always ready; a pipe without data must not block the worker.
    if (::poll(&ready, 1, 0) == 0) return -1;
    const ssize_t got = ::read(fd_.get(), data + incomplete_.size(), max_bytes);
    if (got >= 0) return got;
    if (errno == EAGAIN) return -1;
    if (errno == EINTR) continue;
    logger_.Error("stdin", "cannot read standard input: it counts as ended",
                  {{"error", std::strerror(errno)}});
    return 0;
  }
}

ReadStatus StdinSource::Read(BlockBuffer& buffer, std::size_t max_bytes, Chunk& chunk) {
  for (;;) {
    const ssize_t got = Fill(buffer, max_bytes);
    if (got < 0) return ReadStatus::kIdle;
    const std::size_t size = incomplete_.size() + static_cast<std::size_t>(got);
    const std::string_view data(buffer.data(), size);
    if (got == 0 && size == 0) return ReadStatus::kEnded;

    const std::size_t newline = data.rfind('\n');
    const std::size_t whole = got == 0 ? size : newline + 1;  // npos + 1 is 0.
    std::string rest(data.substr(whole));
    if (whole == 0) {
      incomplete_ = std::move(rest);
      continue;
    }
    chunk.data = data.substr(0, whole);
    chunk.offset = offset_;
    offset_ += whole;
    incomplete_ = std::move(rest);
    return ReadStatus::kData;
  }
}

}  // namespace agent
