#include "outputs/buffer/segment_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

namespace agent {
namespace {

constexpr std::size_t kSearchBytes = std::size_t{256} << 10;

// As much as there is.
std::size_t ReadAt(int fd, uint64_t offset, char* to, std::size_t size) {
  std::size_t got = 0;
  while (got < size) {
    const ssize_t count = ::pread(fd, to + got, size - got, static_cast<off_t>(offset + got));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    got += static_cast<std::size_t>(count);
  }
  return got;
}

}  // namespace

std::string SegmentName(uint64_t first_id) {
  std::array<char, 24> name{};
  std::snprintf(name.data(), name.size(), "%016llx.seg", static_cast<unsigned long long>(first_id));
  return name.data();
}

std::vector<std::string> ListSegments(const std::string& folder) {
  std::vector<std::string> paths;
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error)) {
    const std::string name = at->path().filename().string();
    const bool is_segment = name.size() == 20 && name.ends_with(".seg") &&
                            name.find_first_not_of("0123456789abcdef") == 16;
    if (is_segment) paths.push_back(at->path().string());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

Result<SegmentFile> SegmentFile::Open(const std::string& path) {
  SegmentFile file;
  file.fd_.Reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.fd_.valid()) return ErrnoError(errno, "open " + path);
  return file;
}

uint64_t SegmentFile::FileSize() const {
  struct stat info {};
  return ::fstat(fd_.get(), &info) == 0 ? static_cast<uint64_t>(info.st_size) : 0;
}

std::optional<SegmentHeader> SegmentFile::Header() const {
  std::array<char, kSegmentHeaderBytes> bytes{};
  const std::size_t size = ReadAt(fd_.get(), 0, bytes.data(), bytes.size());
  return ParseSegmentHeader({bytes.data(), size});
}

std::optional<BlockHeader> SegmentFile::HeaderAt(uint64_t offset, uint64_t end) const {
  std::array<char, kBlockHeaderBytes> bytes{};
  const std::size_t size = ReadAt(fd_.get(), offset, bytes.data(), bytes.size());
  std::optional<BlockHeader> header = ParseBlockHeader({bytes.data(), size});
  if (header && (offset > end || header->size() > end - offset)) return std::nullopt;
  return header;
}

std::string_view SegmentFile::Payload(uint64_t offset, const BlockHeader& header) {
  buffer_.resize(header.stored_size);
  const std::size_t size =
      ReadAt(fd_.get(), offset + kBlockHeaderBytes, buffer_.data(), buffer_.size());
  const std::string_view payload = buffer_;
  return payload.substr(0, size);
}

bool SegmentFile::IsWhole(uint64_t offset, const BlockHeader& header) {
  return PayloadIsWhole(header, Payload(offset, header));
}

std::optional<uint64_t> SegmentFile::FindWhole(uint64_t from, uint64_t end) {
  const std::string_view magic = BlockMagic();
  std::string chunk;
  while (from + kBlockHeaderBytes <= end) {
    chunk.resize(std::min<uint64_t>(kSearchBytes, end - from));
    chunk.resize(ReadAt(fd_.get(), from, chunk.data(), chunk.size()));
    for (std::size_t at = chunk.find(magic); at != std::string::npos;
         at = chunk.find(magic, at + 1)) {
      const auto header = HeaderAt(from + at, end);
      if (header && IsWhole(from + at, *header)) return from + at;
    }
    if (chunk.size() < magic.size()) break;
    from += chunk.size() - (magic.size() - 1);
  }
  return std::nullopt;
}

uint64_t SegmentFile::Walk(bool check_payloads, const std::function<void(const Visit&)>& visit) {
  const uint64_t end = FileSize();
  uint64_t at = kSegmentHeaderBytes;
  uint64_t whole_end = kSegmentHeaderBytes;
  while (at < end) {
    const auto header = HeaderAt(at, end);
    if (header && (!check_payloads || IsWhole(at, *header))) {
      visit({at, header->size(), header});
      at += header->size();
      whole_end = at;
      continue;
    }
    const uint64_t next = FindWhole(at + 1, end).value_or(end);
    visit({at, next - at, std::nullopt});
    at = next;
  }
  return std::min(whole_end, end);
}

}  // namespace agent
