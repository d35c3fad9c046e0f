#include "outputs/buffer/buffer_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "outputs/buffer/cursor_file.h"
#include "outputs/buffer/segment_file.h"

namespace agent {
namespace {

constexpr std::string_view kTenantPrefix = "tenant-";
constexpr std::size_t kMaxNameBytes = 120;

bool IsPlain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

}  // namespace

std::string FileNameOf(std::string_view name) {
  std::string out;
  for (const char c : name) {
    // No name begins with a dot: neither hidden nor "..".
    if (IsPlain(c) && !(c == '.' && out.empty())) {
      out += c;
      continue;
    }
    std::array<char, 8> escape{};
    std::snprintf(escape.data(), escape.size(), "%%%02X", static_cast<unsigned char>(c));
    out += escape.data();
  }
  if (out.size() <= kMaxNameBytes) return out;
  std::array<char, 24> hash{};
  std::snprintf(hash.data(), hash.size(), "-%016llx",
                static_cast<unsigned long long>(XXH3_64bits(name.data(), name.size())));
  return out.substr(0, kMaxNameBytes) + hash.data();
}

std::string LaneFolder(const std::string& root, const std::string& tenant) {
  return tenant.empty() ? root : root + "/" + std::string(kTenantPrefix) + FileNameOf(tenant);
}

std::vector<std::string> LaneFolders(const std::string& root) {
  std::vector<std::string> folders;
  std::error_code error;
  for (std::filesystem::directory_iterator at(root, error), end; !error && at != end;
       at.increment(error)) {
    std::error_code unknown;
    const bool is_lane = at->path().filename().string().starts_with(kTenantPrefix);
    if (is_lane && at->is_directory(unknown)) folders.push_back(at->path().string());
  }
  std::sort(folders.begin(), folders.end());
  folders.insert(folders.begin(), root);
  return folders;
}

bool IsInUse(const std::string& lane_folder) {
  return ::access((lane_folder + "/cursor").c_str(), F_OK) == 0 ||
         !ListSegments(lane_folder).empty();
}

std::string TenantIn(const std::string& lane_folder) {
  BlockCodec codec;
  for (const std::string& path : ListSegments(lane_folder)) {
    auto file = SegmentFile::Open(path);
    if (!file) continue;
    const uint64_t end = file->FileSize();
    const auto at = file->FindWhole(kSegmentHeaderBytes, end);
    const auto header = at ? file->HeaderAt(*at, end) : std::nullopt;
    if (!header) continue;
    auto batch = codec.Decode(*header, file->Payload(*at, *header));
    if (batch) return batch->tenant;
  }
  return {};
}

Result<UniqueFd> LockFolder(const std::string& root, int64_t& holder) {
  holder = 0;
  std::error_code error;
  std::filesystem::create_directories(root, error);
  if (error) return ErrnoError(error.value(), "create " + root);
  const std::string path = root + "/lock";
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd.valid()) return ErrnoError(errno, "open " + path);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return ErrnoError(errno, "lock " + path);
    std::array<char, 32> text{};
    const ssize_t size = ::pread(fd.get(), text.data(), text.size(), 0);
    if (size > 0) std::from_chars(text.data(), text.data() + size, holder);
    return Error{ErrorCode::kUnavailable, root + " is in use by another process"};
  }
  const std::string pid = std::to_string(::getpid()) + '\n';
  if (::ftruncate(fd.get(), 0) != 0 || ::pwrite(fd.get(), pid.data(), pid.size(), 0) < 0) {
    return fd;  // Only for people to read: a full disk is no reason to do without.
  }
  return fd;
}

FolderSummary Summarize(const std::string& lane_folder, bool check_payloads) {
  FolderSummary summary;
  summary.cursor = CursorFile::Peek(lane_folder + "/cursor");
  for (const std::string& path : ListSegments(lane_folder)) {
    auto file = SegmentFile::Open(path);
    if (!file) continue;
    ++summary.segments;
    summary.bytes += file->FileSize();
    const auto header = file->Header();
    if (header) {
      summary.kind = header->kind;
    } else {
      summary.damaged_bytes += kSegmentHeaderBytes;
    }
    file->Walk(check_payloads, [&](const SegmentFile::Visit& visit) {
      if (!visit.header) return void(summary.damaged_bytes += visit.size);
      summary.last_id = std::max(summary.last_id, visit.header->id);
      if (visit.header->id <= summary.cursor) return;
      if (summary.batches++ == 0) summary.oldest_wall_ns = visit.header->created_wall_ns;
      summary.entries += visit.header->entries;
    });
  }
  return summary;
}

FolderSummary SummarizeAll(const std::string& root) {
  FolderSummary all;
  for (const std::string& folder : LaneFolders(root)) {
    const FolderSummary lane = Summarize(folder, /*check_payloads=*/false);
    all.segments += lane.segments;
    all.bytes += lane.bytes;
    all.batches += lane.batches;
    all.entries += lane.entries;
    all.damaged_bytes += lane.damaged_bytes;
  }
  return all;
}

}  // namespace agent
