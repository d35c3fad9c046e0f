#include "base/read_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <string_view>

#include "base/unique_fd.h"

namespace agent {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{1} << 20;
constexpr std::string_view kSpace = " \t\r\n\v\f";

}  // namespace

Result<std::string> ReadSmallFile(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return ErrnoError(errno, "open " + path);
  std::string content;
  char piece[4096];
  for (;;) {
    const ssize_t count = ::read(fd.get(), piece, sizeof(piece));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return ErrnoError(errno, "read " + path);
    if (count == 0) return content;
    content.append(piece, static_cast<std::size_t>(count));
    if (content.size() > kMaxBytes) {
      return Error{ErrorCode::kInvalid, path + ": larger than 1 MiB"};
    }
  }
}

Result<std::string> ReadSecretFile(const std::string& path) {
  Result<std::string> content = ReadSmallFile(path);
  if (!content.ok()) return content;
  const std::size_t begin = content->find_first_not_of(kSpace);
  if (begin == std::string::npos) return std::string();
  return content->substr(begin, content->find_last_not_of(kSpace) - begin + 1);
}

}  // namespace agent
