#include "agent/tail/file_identity.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <cerrno>
#include <cstdlib>
#include <memory>
#include <utility>

#include "base/clock.h"

namespace agent {
namespace {

FileStat Convert(const struct stat& info) {
  FileStat result;
  result.key = {info.st_dev, info.st_ino};
  result.size_bytes = static_cast<uint64_t>(info.st_size);
  result.modified_ns = info.st_mtim.tv_sec * kNanosPerSecond + info.st_mtim.tv_nsec;
  result.links = static_cast<uint32_t>(info.st_nlink);
  result.regular = S_ISREG(info.st_mode);
  return result;
}

}  // namespace

UniqueFd OpenForReading(const std::string& path) {
  return UniqueFd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
}

Result<std::string> ReadHead(int fd) {
  std::string bytes(kHeadBytes, '\0');
  std::size_t got = 0;
  while (got < bytes.size()) {
    const ssize_t n = ::pread(fd, bytes.data() + got, bytes.size() - got, static_cast<off_t>(got));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoError(errno, "read");
    if (n == 0) break;
    got += static_cast<std::size_t>(n);
  }
  bytes.resize(got);
  return bytes;
}

std::string ReadHeadAt(const std::string& path) {
  const UniqueFd fd = OpenForReading(path);
  if (!fd.valid()) return {};
  Result<std::string> head = ReadHead(fd.get());
  return head.ok() ? std::move(head).value() : std::string();
}

HeadHash HashHead(std::string_view bytes) {
  bytes = bytes.substr(0, kHeadBytes);
  return {XXH3_64bits(bytes.data(), bytes.size()), static_cast<uint32_t>(bytes.size())};
}

bool BeginsWith(std::string_view bytes, const HeadHash& head) {
  if (head.length == 0) return true;
  return bytes.size() >= head.length && HashHead(bytes.substr(0, head.length)) == head;
}

Result<FileStat> StatFile(int fd) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return ErrnoError(errno, "stat");
  return Convert(info);
}

Result<FileStat> StatPath(const std::string& path, bool& is_link) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return ErrnoError(errno, path);
  is_link = S_ISLNK(info.st_mode);
  if (is_link) return StatPath(path);
  return Convert(info);
}

Result<FileStat> StatPath(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return ErrnoError(errno, path);
  return Convert(info);
}

std::string LinkTarget(const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0 || !S_ISLNK(info.st_mode)) return {};
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr),
                                                         &std::free);
  return real == nullptr ? std::string() : std::string(real.get());
}

}  // namespace agent
