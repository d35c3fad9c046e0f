#include "agent/tail/gzip_source.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <zlib.h>

namespace agent {
namespace {

// As much is uncompressed on the way to the offset before the worker turns to another source.
constexpr std::size_t kMaxSkipBytes = std::size_t{8} << 20;

}  // namespace

struct GzipSource::Stream {
  explicit Stream(const std::string& path) : file(::gzopen(path.c_str(), "rbe")) {}
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() {
    if (file != nullptr) ::gzclose(file);
  }
  [[nodiscard]] int Read(char* to, std::size_t bytes) const {
    return ::gzread(file, to, static_cast<unsigned>(bytes));
  }
  gzFile file;
};

Result<std::string> ReadGzipHead(const std::string& path) {
  gzFile file = ::gzopen(path.c_str(), "rbe");
  if (file == nullptr) return ErrnoError(errno, path);
  std::string head(kHeadBytes, '\0');
  const int got = ::gzread(file, head.data(), static_cast<unsigned>(head.size()));
  const bool compressed = ::gzdirect(file) == 0;
  ::gzclose(file);
  if (got < 0 || !compressed) return Error{ErrorCode::kInvalid, path + ": not a gzip file"};
  head.resize(static_cast<std::size_t>(got));
  return head;
}

GzipSource::GzipSource(std::shared_ptr<SourceContext> context, TailSourceInit init)
    : TailSource(std::move(context), init),
      place_(std::move(init.place)),
      offset_(progress_->processed_end()) {}

GzipSource::~GzipSource() = default;

ReadStatus GzipSource::Read(BlockBuffer& buffer, std::size_t max_bytes, Chunk& chunk) {
  if (ended_) return ReadStatus::kEnded;
  if (predecessor() != nullptr) return ReadStatus::kIdle;
  predecessor_.reset();
  if (stream_ == nullptr) stream_ = std::make_unique<Stream>(place_);
  if (stream_->file == nullptr) return End("cannot be opened");
  if (position_ < offset_) {
    if (!SkipToOffset(buffer, max_bytes)) return End("shorter than what was read of it");
    chunk = {std::string_view(), offset_};
    return ReadStatus::kData;
  }
  return ReadOn(buffer, max_bytes, chunk);
}

bool GzipSource::SkipToOffset(BlockBuffer& buffer, std::size_t max_bytes) {
  char* const data = buffer.Ensure(max_bytes);
  for (std::size_t done = 0; done < kMaxSkipBytes && position_ < offset_;) {
    const int got = stream_->Read(data, std::min<uint64_t>(max_bytes, offset_ - position_));
    if (got <= 0) return false;
    done += static_cast<std::size_t>(got);
    position_ += static_cast<uint64_t>(got);
  }
  return true;
}

ReadStatus GzipSource::ReadOn(BlockBuffer& buffer, std::size_t max_bytes, Chunk& chunk) {
  const std::size_t kept = carry_.size();
  char* const data = buffer.Ensure(kept + max_bytes);
  std::memcpy(data, carry_.data(), kept);
  const int got = stream_->Read(data + kept, max_bytes);
  if (got < 0) return End("damaged");
  const std::size_t bytes = kept + static_cast<std::size_t>(got);
  position_ += static_cast<uint64_t>(got);
  const auto* newline = static_cast<const char*>(::memrchr(data, '\n', bytes));
  std::size_t whole = newline != nullptr ? static_cast<std::size_t>(newline - data) + 1 : 0;
  if (got == 0) {
    if (bytes == 0 && skipped_ == 0) return End("");
    whole = bytes;
  }
  chunk = {std::string_view(data, whole), offset_};
  if (skipped_ > 0 && (whole > 0 || got == 0)) {
    const auto* first = static_cast<const char*>(std::memchr(data, '\n', whole));
    const std::size_t rest = first != nullptr ? static_cast<std::size_t>(first - data) + 1 : whole;
    SkipLongLine(skipped_ + rest);
    chunk = {std::string_view(data + rest, whole - rest), offset_};
  }
  carry_.assign(data + whole, bytes - whole);
  if (carry_.size() > context().max_line_bytes || (skipped_ > 0 && whole == 0)) {
    skipped_ += carry_.size();
    carry_.clear();
  }
  offset_ += chunk.data.size();
  context().counters.read_bytes += chunk.data.size();
  const MutexLock lock(mutex_);
  snapshot_.read_offset = offset_;
  snapshot_.size_bytes = position_;
  return ReadStatus::kData;
}

void GzipSource::SkipLongLine(uint64_t bytes) {
  offset_ += bytes;
  skipped_ = 0;
  ProcessedBlock skipped;
  skipped.end = offset_;
  skipped.read_bytes = bytes;
  skipped.dropped_bytes = bytes;
  skipped.lines = 1;
  progress_->Advance(skipped);
  context().counters.read_bytes += bytes;
  context().counters.read_lines_too_long += 1;
  context().counters.bytes_too_long += bytes;
}

ReadStatus GzipSource::End(std::string_view problem) {
  if (!problem.empty()) {
    context().counters.read_errors += 1;
    context().logger.WriteLimited(LogLevel::kError, "gzip " + place_, "tail",
                                  "compressed file cannot be read to its end: the rest is lost",
                                  {{"path", place_}, {"error", problem}, {"offset", offset_}});
  }
  ended_ = true;
  stream_.reset();
  SetDrained();
  {
    const MutexLock lock(mutex_);
    snapshot_.ended = true;
    snapshot_.caught_up = true;
    snapshot_.error = problem;
  }
  Changed();
  return ReadStatus::kEnded;
}

}  // namespace agent
