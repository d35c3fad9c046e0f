#include "outputs/file/rotation.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "base/clock.h"

namespace agent::file {
namespace {

constexpr int kMaxTries = 10'000;
constexpr std::string_view kTimeShape = ".ddddddddTdddddd.dddZ";

struct Name {
  std::string folder;  // With its slash; empty: the working directory.
  std::string stem;
  std::string ending;  // With its dot, or two: ".log.gz".
};

Name SplitName(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  Name name;
  name.folder = slash == std::string::npos ? "" : path.substr(0, slash + 1);
  std::string_view rest = path;
  rest.remove_prefix(name.folder.size());
  const std::string_view whole = rest;
  const auto cut = [&rest] {
    const std::size_t dot = rest.rfind('.');
    if (dot != std::string_view::npos && dot > 0) rest = rest.substr(0, dot);
  };
  const bool packed = rest.ends_with(".gz") || rest.ends_with(".zst");
  cut();
  if (packed) cut();
  name.stem = std::string(rest);
  name.ending = std::string(whole.substr(rest.size()));
  return name;
}

std::string TimeText(int64_t wall_ns) {
  const auto second = static_cast<time_t>(wall_ns / kNanosPerSecond);
  tm utc{};
  gmtime_r(&second, &utc);
  std::array<char, 64> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), ".%Y%m%dT%H%M%S", &utc);
  const int millis = static_cast<int>(wall_ns % kNanosPerSecond / kNanosPerMilli);
  std::snprintf(text.data() + size, text.size() - size, ".%03dZ", millis);
  return text.data();
}

bool HasTimeShape(std::string_view text) {
  return text.size() == kTimeShape.size() &&
         std::equal(text.begin(), text.end(), kTimeShape.begin(), [](char c, char shape) {
           return shape == 'd' ? c >= '0' && c <= '9' : c == shape;
         });
}

int RenameWithoutReplacing(const std::string& from, const std::string& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return errno;
  // A file system that cannot say so.
  if (::access(to.c_str(), F_OK) == 0) return EEXIST;
  return ::rename(from.c_str(), to.c_str()) == 0 ? 0 : errno;
}

}  // namespace

Result<std::string> RotateAway(const std::string& path, int64_t wall_ns) {
  const Name name = SplitName(path);
  const std::vector<std::string> before = RotatedFiles(path);
  int failed = EEXIST;
  for (int i = 0; i < kMaxTries && failed == EEXIST; ++i) {
    const std::string to =
        name.folder + name.stem + TimeText(wall_ns + i * kNanosPerMilli) + name.ending;
    // Behind those that are there, also when several come in a millisecond and the first is gone
    // already; unless the clock was set back by more than that.
    if (i < kMaxTries / 2 && !before.empty() && to <= before.back()) continue;
    failed = RenameWithoutReplacing(path, to);
    if (failed == 0) return to;
  }
  return ErrnoError(failed, "rotate " + path);
}

std::vector<std::string> RotatedFiles(const std::string& path) {
  const Name name = SplitName(path);
  std::vector<std::string> files;
  std::error_code error;
  for (std::filesystem::directory_iterator at(name.folder.empty() ? "." : name.folder, error), end;
       !error && at != end; at.increment(error)) {
    const std::string file = at->path().filename().string();
    const bool around = file.size() == name.stem.size() + kTimeShape.size() + name.ending.size() &&
                        file.starts_with(name.stem) && file.ends_with(name.ending);
    if (around && HasTimeShape({file.data() + name.stem.size(), kTimeShape.size()}))
      files.push_back(name.folder + file);
  }
  std::sort(files.begin(), files.end());
  return files;
}

Status RemoveOldest(const std::string& path, std::size_t keep) {
  if (keep == 0) return {};
  const std::vector<std::string> files = RotatedFiles(path);
  for (std::size_t i = 0; i + keep < files.size(); ++i) {
    if (::unlink(files[i].c_str()) != 0 && errno != ENOENT)
      return ErrnoError(errno, "remove " + files[i]);
  }
  return {};
}

}  // namespace agent::file
