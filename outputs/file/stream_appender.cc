#include "outputs/file/stream_appender.h"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <string_view>

#include "base/result.h"

namespace agent::file {
namespace {

// How soon an interruption is seen.
constexpr int kPollMillis = 50;

// So much can be written to a pipe that is ready without waiting, and comes in one piece.
std::string_view NextPiece(std::string_view bytes) {
  if (bytes.size() <= PIPE_BUF) return bytes;
  const std::size_t newline = bytes.substr(0, PIPE_BUF).rfind('\n');
  return bytes.substr(0, newline == std::string_view::npos ? PIPE_BUF : newline + 1);
}

}  // namespace

AppendResult StreamAppender::Append(const AppendJob& job) {
  AppendResult result;
  struct stat info {};
  // A file never makes anybody wait.
  const bool whole = ::fstat(fd_, &info) == 0 && S_ISREG(info.st_mode);
  for (const Bytes& body : job.bodies) {
    std::string_view rest(body.data.get(), body.size);
    while (!rest.empty()) {
      if (!whole && !WaitWritable(result.error)) return result;
      const std::string_view piece = whole ? rest : NextPiece(rest);
      const ssize_t count = ::write(fd_, piece.data(), piece.size());
      if (count >= 0) {
        rest.remove_prefix(static_cast<std::size_t>(count));
      } else if (errno != EINTR && errno != EAGAIN) {
        result.closed = errno == EPIPE || errno == EBADF;
        result.error = ErrnoError(errno, "write to standard output").message;
        return result;
      }
    }
    ++result.appended;
  }
  return result;
}

// Also when there is an error that a write will show.
bool StreamAppender::WaitWritable(std::string& error) const {
  while (!interrupted_.load()) {
    pollfd ready{fd_, POLLOUT, 0};
    if (::poll(&ready, 1, kPollMillis) > 0) return true;
  }
  error = "interrupted";
  return false;
}

}  // namespace agent::file
