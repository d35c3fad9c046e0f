#include "agent/tail/container_time.h"

#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>

#include "agent/tail/file_identity.h"
#include "base/clock.h"
#include "base/unique_fd.h"
#include "pipeline/time/rfc3339.h"

namespace agent {
namespace {

constexpr std::string_view kSuffix = "-json.log";
constexpr std::string_view kTimeKey = R"("time":")";
// A piece of a line has at most 16 KiB, of which each byte may be escaped as six.
constexpr std::size_t kMostOfLine = std::size_t{128} << 10;
constexpr std::size_t kUsual = std::size_t{8} << 10;

std::string ReadAt(int fd, uint64_t offset, std::size_t size) {
  std::string bytes(size, '\0');
  std::size_t got = 0;
  while (got < size) {
    const ssize_t n = ::pread(fd, bytes.data() + got, size - got, static_cast<off_t>(offset + got));
    if (n <= 0) break;
    got += static_cast<std::size_t>(n);
  }
  bytes.resize(got);
  return bytes;
}

// The time is what the daemon writes last.
std::optional<int64_t> SecondOf(std::string_view line) {
  const std::size_t key = line.rfind(kTimeKey);
  if (key == std::string_view::npos) return std::nullopt;
  std::string_view time = line.substr(key + kTimeKey.size());
  time = time.substr(0, time.find('"'));
  const std::optional<int64_t> nanos = Rfc3339Parser().Parse(time);
  if (!nanos) return std::nullopt;
  return *nanos / kNanosPerSecond;
}

struct Line {
  uint64_t begin = 0;
  uint64_t end = 0;  // Behind its newline.
  int64_t second = 0;
};
enum class Found : uint8_t { kLine, kEnd, kUnclear };

// The first whole line that begins at or after `offset`.
Found LineAfter(int fd, uint64_t offset, Line& line) {
  // From the byte before, so that a line that begins just there is found.
  const uint64_t from = offset == 0 ? 0 : offset - 1;
  std::string bytes;
  std::size_t begin = std::string::npos;
  std::size_t end = std::string::npos;
  for (std::size_t size = kUsual; end == std::string::npos; size = 2 * kMostOfLine) {
    if (bytes.size() == 2 * kMostOfLine) return Found::kUnclear;
    bytes = ReadAt(fd, from, size);
    begin = offset == 0 ? 0 : bytes.find('\n');
    if (begin != std::string::npos && offset != 0) ++begin;
    if (begin != std::string::npos) end = bytes.find('\n', begin);
    if (end == std::string::npos && bytes.size() < size) return Found::kEnd;
  }
  const std::string_view text = bytes;
  const auto second = SecondOf(text.substr(begin, end - begin));
  if (!second) return Found::kUnclear;
  line = {from + begin, from + end + 1, *second};
  return Found::kLine;
}

}  // namespace

std::string_view ContainerOfLog(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  if (!name.ends_with(kSuffix)) return {};
  return name.substr(0, name.size() - kSuffix.size());
}

std::optional<uint64_t> OffsetOfSecond(const std::string& path, int64_t second) {
  const UniqueFd fd = OpenForReading(path);
  if (!fd.valid()) return std::nullopt;
  const Result<FileStat> info = StatFile(fd.get());
  if (!info.ok()) return std::nullopt;
  // Lines that begin before `low` are older; the first that begins at `high` or behind is not.
  uint64_t low = 0;
  uint64_t high = info->size_bytes;
  std::optional<uint64_t> answer;
  while (low < high) {
    const uint64_t middle = low + (high - low) / 2;
    Line line;
    const Found found = LineAfter(fd.get(), middle, line);
    if (found == Found::kUnclear) return std::nullopt;
    if (found == Found::kLine && line.second < second) {
      low = line.end;
      continue;
    }
    if (found == Found::kLine) answer = line.begin;
    high = middle;
  }
  return answer ? answer : low;
}

std::optional<int64_t> SecondBefore(const std::string& path, uint64_t offset) {
  if (offset == 0) return std::nullopt;
  const UniqueFd fd = OpenForReading(path);
  if (!fd.valid()) return std::nullopt;
  const uint64_t from = offset - std::min<uint64_t>(offset, kMostOfLine);
  std::string bytes = ReadAt(fd.get(), from, static_cast<std::size_t>(offset - from));
  if (bytes.size() < offset - from || bytes.back() != '\n') return std::nullopt;
  bytes.pop_back();
  const std::size_t newline = bytes.rfind('\n');
  const std::size_t begin = newline == std::string::npos ? 0 : newline + 1;
  const std::string_view text = bytes;
  return SecondOf(text.substr(begin));
}

}  // namespace agent
