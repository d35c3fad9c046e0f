#include "outputs/file/file_tail.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "outputs/file/frame_compressor.h"

namespace agent::file {
namespace {

using State = FileTail::State;

// More than what may have been on its way to the disk at once: looked at byte by byte.
constexpr uint64_t kCheckedBytes = uint64_t{16} << 20;
constexpr uint32_t kZstdMagic = 0xFD2FB528;
constexpr uint32_t kSkippableMagic = 0x184D2A50;  // And the 15 that follow.
constexpr uint64_t kBlockHeaderBytes = 3;
constexpr uint64_t kChecksumBytes = 4;

class Reader {
 public:
  Reader(int fd, uint64_t size) : fd_(fd), size_(size) {}

  [[nodiscard]] uint64_t size() const { return size_; }
  [[nodiscard]] int error_number() const { return error_number_; }

  // As much of `count` bytes as there is; less after an error, too.
  std::string_view Read(uint64_t offset, std::size_t count) {
    buffer_.resize(count);
    std::size_t got = 0;
    while (got < count) {
      const ssize_t more =
          ::pread(fd_, buffer_.data() + got, count - got, static_cast<off_t>(offset + got));
      if (more < 0 && errno == EINTR) continue;
      if (more < 0) error_number_ = errno;
      if (more <= 0) break;
      got += static_cast<std::size_t>(more);
    }
    return {buffer_.data(), got};
  }

 private:
  const int fd_;
  const uint64_t size_;
  int error_number_ = 0;
  std::string buffer_;
};

uint64_t LittleEndian(std::string_view bytes) {
  uint64_t number = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    number |= static_cast<uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
  return number;
}

// Where a member or frame ends that begins at an offset.
struct FrameEnd {
  State state = State::kWhole;  // kTorn: behind the end of the file.
  uint64_t end = 0;
};

FrameEnd GzipEnd(Reader& reader, uint64_t offset) {
  const std::string_view header = reader.Read(offset, kMemberHeaderBytes);
  constexpr std::string_view kBegin("\x1f\x8b\x08\x04", 4);
  if (header.size() < kMemberHeaderBytes) {
    const bool fits = header.substr(0, kBegin.size()) == kBegin.substr(0, header.size());
    return {fits ? State::kTorn : State::kUnknown, 0};
  }
  const std::optional<uint32_t> length = MemberLength(header);
  if (!length || *length <= kMemberHeaderBytes) return {State::kUnknown, 0};
  const uint64_t end = offset + *length;
  return {end > reader.size() ? State::kTorn : State::kWhole, end};
}

// How long the header of a frame is, by its descriptor.
uint64_t ZstdHeaderBytes(unsigned char descriptor) {
  constexpr std::array<uint64_t, 4> kContentSize = {0, 2, 4, 8};
  constexpr std::array<uint64_t, 4> kDictionary = {0, 1, 2, 4};
  const bool single = (descriptor & 0x20) != 0;
  const unsigned content = descriptor >> 6;
  const uint64_t content_bytes = content == 0 && single ? 1 : kContentSize[content];
  return 5 + (single ? 0 : 1) + kDictionary[descriptor & 3] + content_bytes;
}

FrameEnd ZstdEnd(Reader& reader, uint64_t offset) {
  const std::string_view head = reader.Read(offset, 8);
  constexpr std::string_view kMagic = "\x28\xb5\x2f\xfd";
  if (head.size() < 5) {
    const std::string_view begin = head.substr(0, kMagic.size());
    return {begin == kMagic.substr(0, begin.size()) ? State::kTorn : State::kUnknown, 0};
  }
  const auto magic = static_cast<uint32_t>(LittleEndian(head.substr(0, 4)));
  if ((magic & ~uint32_t{15}) == kSkippableMagic) {
    const uint64_t end = offset + 8 + (head.size() < 8 ? 1 : LittleEndian(head.substr(4)));
    return {end > reader.size() ? State::kTorn : State::kWhole, end};
  }
  if (magic != kZstdMagic) return {State::kUnknown, 0};
  const auto descriptor = static_cast<unsigned char>(head[4]);
  uint64_t at = offset + ZstdHeaderBytes(descriptor);
  for (bool last = false; !last;) {
    const std::string_view block = reader.Read(at, kBlockHeaderBytes);
    if (block.size() < kBlockHeaderBytes) return {State::kTorn, 0};
    const uint64_t header = LittleEndian(block);
    last = (header & 1) != 0;
    const uint64_t type = (header >> 1) & 3;
    if (type == 3) return {State::kUnknown, 0};
    at += kBlockHeaderBytes + (type == 1 ? 1 : header >> 3);
    if (at > reader.size()) return {State::kTorn, 0};
  }
  if ((descriptor & 4) != 0) at += kChecksumBytes;
  return {at > reader.size() ? State::kTorn : State::kWhole, at};
}

// Walks over all frames; the last ones are decoded, for a power loss may have left holes in them.
FileTail JudgeFrames(Reader& reader, FileCompression compression) {
  const auto frame_end = compression == FileCompression::kGzip ? GzipEnd : ZstdEnd;
  std::deque<uint64_t> begins;  // Of the last frames.
  FileTail tail;
  while (tail.whole_bytes < reader.size()) {
    const FrameEnd frame = frame_end(reader, tail.whole_bytes);
    tail.state = frame.state;
    if (frame.state != State::kWhole) break;
    begins.push_back(tail.whole_bytes);
    tail.whole_bytes = frame.end;
    while (begins.size() > 1 && tail.whole_bytes - begins[1] > kCheckedBytes)
      begins.pop_front();
  }
  if (tail.state == State::kUnknown) return tail;
  for (std::size_t i = 0; i < begins.size(); ++i) {
    const uint64_t end = i + 1 < begins.size() ? begins[i + 1] : tail.whole_bytes;
    if (end - begins[i] > kCheckedBytes) continue;
    const std::string_view frame =
        reader.Read(begins[i], static_cast<std::size_t>(end - begins[i]));
    if (!IsIntact(frame)) return {State::kTorn, begins[i]};
  }
  return tail;
}

// Text is whole up to its last newline. It has no NUL, but where a power loss has left a hole.
FileTail JudgeText(Reader& reader, FileFormat format) {
  const uint64_t begin = reader.size() - std::min(reader.size(), kCheckedBytes);
  const std::string_view text = reader.Read(begin, static_cast<std::size_t>(reader.size() - begin));
  const std::size_t hole = format == FileFormat::kRaw ? std::string_view::npos : text.find('\0');
  if (hole == std::string_view::npos && text.ends_with('\n')) return {State::kWhole, reader.size()};
  const std::size_t newline = text.substr(0, hole).rfind('\n');
  if (newline != std::string_view::npos) return {State::kTorn, begin + newline + 1};
  // The half of one line: ours, or of anybody.
  constexpr std::string_view kLogfmtBegin = "time=";
  const bool ours =
      begin == 0 && ((format == FileFormat::kNdjson && text.starts_with('{')) ||
                     (format == FileFormat::kLogfmt &&
                      text.substr(0, kLogfmtBegin.size()) == kLogfmtBegin.substr(0, text.size())));
  return {ours ? State::kTorn : State::kUnknown, 0};
}

}  // namespace

Result<FileTail> JudgeTail(int fd, uint64_t size, FileCompression compression, FileFormat format) {
  if (size == 0) return FileTail{};
  Reader reader(fd, size);
  const FileTail tail = compression == FileCompression::kNone ? JudgeText(reader, format)
                                                              : JudgeFrames(reader, compression);
  if (reader.error_number() != 0) return ErrnoError(reader.error_number(), "read");
  return tail;
}

}  // namespace agent::file
