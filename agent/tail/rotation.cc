#include "agent/tail/rotation.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "agent/tail/decoded_source.h"
#include "agent/tail/glob.h"
#include "base/clock.h"
#include "base/unique_fd.h"

namespace agent {
namespace {

// A directory may hold years of rotations: only this many are opened to look at.
constexpr std::size_t kMaxOpened = 64;
// File systems take the time from a clock that ticks, and are a little behind.
constexpr int64_t kClockSlackNanos = 100 * kNanosPerMilli;

int64_t BornAt(int fd) {
  struct statx info {};
  if (::statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &info) != 0) return 0;
  if ((info.stx_mask & STATX_BTIME) == 0) return 0;
  return info.stx_btime.tv_sec * kNanosPerSecond + info.stx_btime.tv_nsec;
}

std::optional<FoundFile> LookAt(const std::string& path) {
  const UniqueFd fd = OpenForReading(path);
  if (!fd.valid()) return std::nullopt;
  const Result<FileStat> info = StatFile(fd.get());
  if (!info.ok() || !info->regular) return std::nullopt;
  FoundFile found;
  found.path = path;
  found.info = *info;
  found.born_ns = BornAt(fd.get());
  if (IsCompressedName(path)) {
    Result<std::string> head = ReadGzipHead(path);
    if (!head.ok()) return std::nullopt;  // Another kind of compression, or still being written.
    found.head = std::move(head).value();
    found.compressed = true;
    return found;
  }
  Result<std::string> head = ReadHead(fd.get());
  if (!head.ok()) return std::nullopt;
  found.head = std::move(head).value();
  return found;
}

// The files under rotated names of `path`, and of `target` if it is not empty; newest first.
std::vector<FoundFile> RotatedFiles(DirectoryIndex& index, const std::string& path,
                                    const std::string& target, int64_t modified_after_ns) {
  std::vector<std::pair<int64_t, std::string>> candidates;
  std::vector<std::string> paths = index.RotatedPaths(path);
  if (!target.empty()) {
    for (std::string& rotated : index.RotatedPaths(target))
      paths.push_back(std::move(rotated));
  }
  for (std::string& candidate : paths) {
    const Result<FileStat> info = StatPath(candidate);
    if (!info.ok() || !info->regular || info->modified_ns < modified_after_ns) continue;
    candidates.emplace_back(info->modified_ns, std::move(candidate));
  }
  std::sort(candidates.rbegin(), candidates.rend());
  if (candidates.size() > kMaxOpened) candidates.resize(kMaxOpened);
  std::vector<FoundFile> files;
  for (const auto& [modified, candidate] : candidates) {
    if (auto found = LookAt(candidate)) files.push_back(std::move(*found));
  }
  return files;
}

}  // namespace

std::optional<FoundFile> FindRotated(DirectoryIndex& index, const LostFile& lost,
                                     const IsUnknown& unknown) {
  const auto fits = [&](const FoundFile& found) {
    return unknown(found.info.key) && BeginsWith(found.head, lost.identity.head) &&
           (found.compressed || found.info.size_bytes >= lost.min_bytes);
  };
  for (const std::string& near : {lost.place, lost.path, lost.target}) {
    if (near.empty()) continue;
    const auto moved = index.FindFile(std::string(DirName(near)), lost.identity.key);
    if (!moved || IsCompressedName(*moved)) continue;
    auto found = LookAt(*moved);
    if (found && fits(*found)) return found;
  }
  if (lost.identity.head.length == 0) return std::nullopt;  // Nothing to know it by.
  std::optional<FoundFile> compressed;
  for (FoundFile& found : RotatedFiles(index, lost.path, lost.target, 0)) {
    if (!fits(found)) continue;
    if (!found.compressed) return std::move(found);
    if (!compressed) compressed = std::move(found);
  }
  return compressed;
}

std::optional<FoundFile> FindCopy(DirectoryIndex& index, const std::string& path,
                                  const FileIdentity& original, uint64_t min_bytes,
                                  int64_t modified_after_ns, const IsUnknown& unknown) {
  if (original.head.length == 0) return std::nullopt;
  for (FoundFile& found : RotatedFiles(index, path, {}, modified_after_ns)) {
    if (found.compressed || found.info.key == original.key || !unknown(found.info.key)) continue;
    if (found.info.size_bytes < min_bytes || !BeginsWith(found.head, original.head)) continue;
    return std::move(found);
  }
  return std::nullopt;
}

std::optional<FoundFile> FindEarlier(DirectoryIndex& index, const std::string& path,
                                     const std::string& target, const NotedOffset& noted,
                                     const IsUnknown& unknown) {
  const auto now = LookAt(path);
  if (!now || now->born_ns <= noted.noted_ns) return std::nullopt;
  std::optional<FoundFile> latest;
  for (FoundFile& found : RotatedFiles(index, path, target, 0)) {
    if (found.compressed || found.born_ns == 0 || found.born_ns > noted.noted_ns) continue;
    if (found.info.key == now->info.key || !unknown(found.info.key)) continue;
    if (!latest || found.born_ns > latest->born_ns) latest = std::move(found);
  }
  if (latest && latest->info.size_bytes < noted.offset) return std::nullopt;
  return latest;
}

std::vector<FoundFile> FindBetween(DirectoryIndex& index, const std::string& path,
                                   const std::string& target, const std::vector<HeadHash>& heads,
                                   const FileBefore& before, const IsUnknown& unknown) {
  std::vector<FoundFile> between;
  for (FoundFile& found : RotatedFiles(index, path, target, before.modified_ns)) {
    if (!unknown(found.info.key)) continue;
    if (found.born_ns != 0 && found.born_ns < before.seen_ns - kClockSlackNanos) continue;
    // An old one, compressed or copied meanwhile.
    const bool read = std::any_of(heads.begin(), heads.end(), [&found](const HeadHash& head) {
      return head.length > 0 && BeginsWith(found.head, head);
    });
    if (read) continue;
    between.push_back(std::move(found));
  }
  std::reverse(between.begin(), between.end());
  return between;
}

}  // namespace agent
