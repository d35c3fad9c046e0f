#include "agent/tail/decoded_source.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace agent {
namespace {

// As much is decoded on the way to the offset before the worker turns to another source.
constexpr std::size_t kMaxSkipBytes = std::size_t{8} << 20;
// So much may say nothing (empty members) before the worker does.
constexpr std::size_t kMaxSilentBytes = std::size_t{8} << 20;
constexpr std::size_t kInputBytes = 65536;

}  // namespace

// A file and its decoder.
class DecodedSource::Decoding {
 public:
  Decoding(UniqueFd fd, Compression compression)
      : fd_(std::move(fd)), decoder_(StreamDecoder::Make(compression)) {}

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] uint64_t raw_bytes() const { return position_; }
  [[nodiscard]] const std::string& error() const { return error_; }

  // Up to `room` bytes; `got` may be anything with any outcome.
  Outcome Read(char* to, std::size_t room, std::size_t& got) {
    got = 0;
    for (std::size_t silent = 0; got < room && silent < kMaxSilentBytes;) {
      if (input_.empty() && !at_end_ && !Fill()) return Outcome::kDamaged;
      const std::size_t before = input_.size();
      std::size_t written = 0;
      if (!decoder_->Decode(input_, to + got, room - got, written)) {
        got += written;
        error_ = decoder_->error();
        return Outcome::kDamaged;
      }
      got += written;
      silent += before - input_.size();
      if (at_end_ && input_.empty() && written == 0) {
        return decoder_->at_boundary() ? Outcome::kEnd : Outcome::kIncomplete;
      }
    }
    return Outcome::kData;
  }

 private:
  bool Fill() {
    ssize_t count = 0;
    do {
      count = ::pread(fd_.get(), bytes_.data(), bytes_.size(), static_cast<off_t>(position_));
    } while (count < 0 && errno == EINTR);
    if (count < 0) {
      error_ = ErrnoError(errno, "read").message;
      return false;
    }
    position_ += static_cast<uint64_t>(count);
    at_end_ = count == 0;
    input_ = std::string_view(bytes_.data(), static_cast<std::size_t>(count));
    return true;
  }

  const UniqueFd fd_;
  const std::unique_ptr<StreamDecoder> decoder_;
  std::array<char, kInputBytes> bytes_{};
  std::string_view input_;  // In bytes_: not decoded yet.
  uint64_t position_ = 0;   // Behind input_, in the file.
  bool at_end_ = false;
  std::string error_;
};

Result<std::string> ReadGzipHead(const std::string& path) {
  UniqueFd fd = OpenForReading(path);
  if (!fd.valid()) return ErrnoError(errno, path);
  std::array<char, 2> magic{};
  const bool gzip = ::pread(fd.get(), magic.data(), magic.size(), 0) == 2 && magic[0] == '\x1f' &&
                    magic[1] == '\x8b';
  const std::unique_ptr<StreamDecoder> decoder = StreamDecoder::Make(Compression::kGzip);
  std::string input(kInputBytes, '\0');
  std::string head(kHeadBytes, '\0');
  const ssize_t count = gzip ? ::pread(fd.get(), input.data(), input.size(), 0) : 0;
  std::string_view rest(input.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
  std::size_t got = 0;
  while (gzip && got < head.size()) {
    const std::size_t before = rest.size();
    std::size_t written = 0;
    const bool ok = decoder->Decode(rest, head.data() + got, head.size() - got, written);
    got += written;
    if (!ok || (written == 0 && rest.size() == before)) break;
  }
  if (!gzip || (got == 0 && !decoder->error().empty())) {
    return Error{ErrorCode::kInvalid, path + ": not a gzip file"};
  }
  head.resize(got);
  return head;
}

DecodedSource::DecodedSource(std::shared_ptr<SourceContext> context, TailSourceInit init,
                             Compression compression, Use use)
    : TailSource(std::move(context), init),
      place_(std::move(init.place)),
      compression_(compression),
      use_(use),
      fd_(std::move(init.fd)),
      offset_(progress_->processed_end()) {}

DecodedSource::~DecodedSource() = default;

ReadStatus DecodedSource::Read(BlockBuffer& buffer, std::size_t max_bytes, Chunk& chunk) {
  if (ended_) return ReadStatus::kEnded;
  if (predecessor() != nullptr) return ReadStatus::kIdle;
  predecessor_.reset();
  if (decoding_ == nullptr) {
    UniqueFd fd = fd_.valid() ? std::move(fd_) : OpenForReading(place_);
    if (!fd.valid()) return EndWith("cannot be opened");
    decoding_ = std::make_unique<Decoding>(std::move(fd), compression_);
  }
  if (outcome_ != Outcome::kData && carry_.empty() && skipped_ == 0) return End();
  if (position_ < offset_) {
    if (!SkipToOffset(buffer, max_bytes)) {
      return outcome_ == Outcome::kEnd ? EndWith("shorter than what was read of it") : End();
    }
    chunk = {std::string_view(), offset_};
    return ReadStatus::kData;
  }
  return ReadOn(buffer, max_bytes, chunk);
}

bool DecodedSource::SkipToOffset(BlockBuffer& buffer, std::size_t max_bytes) {
  char* const data = buffer.Ensure(max_bytes);
  for (std::size_t done = 0; done < kMaxSkipBytes && position_ < offset_;) {
    std::size_t got = 0;
    outcome_ = decoding_->Read(data, std::min<uint64_t>(max_bytes, offset_ - position_), got);
    if (encoding_ != nullptr && position_ == 0) encoding_->Begin({data, got});
    done += got;
    position_ += got;
    if (outcome_ != Outcome::kData) return position_ == offset_;
  }
  return true;
}

ReadStatus DecodedSource::ReadOn(BlockBuffer& buffer, std::size_t max_bytes, Chunk& chunk) {
  const std::size_t kept = carry_.size();
  char* const data = buffer.Ensure(kept + max_bytes);
  std::memcpy(data, carry_.data(), kept);
  std::size_t got = 0;
  if (outcome_ == Outcome::kData) outcome_ = decoding_->Read(data + kept, max_bytes, got);
  const std::size_t bytes = kept + got;
  if (encoding_ != nullptr && position_ == 0) encoding_->Begin({data, bytes});
  position_ += got;
  std::size_t whole = EndOfLastLine(data, bytes);
  const bool last = outcome_ == Outcome::kEnd || outcome_ == Outcome::kDamaged;
  if (last) whole = bytes;  // Its end will not come any more.
  chunk = {std::string_view(data, whole), offset_};
  if (skipped_ > 0 && (whole > 0 || last)) {
    const std::size_t first = EndOfFirstLine(data, whole);
    const std::size_t rest = first > 0 ? first : whole;
    SkipLongLine(skipped_ + rest);
    chunk = {std::string_view(data + rest, whole - rest), offset_};
  }
  carry_.assign(data + whole, bytes - whole);
  if (carry_.size() > context().max_line_bytes || (skipped_ > 0 && whole == 0 && !last)) {
    // Half of a character stays.
    const std::size_t half = encoding_ != nullptr ? carry_.size() % encoding_->unit() : 0;
    skipped_ += carry_.size() - half;
    carry_.erase(0, carry_.size() - half);
  }
  if (outcome_ == Outcome::kIncomplete) {  // It may go on: the line is read again then.
    carry_.clear();
    skipped_ = 0;
  }
  offset_ += chunk.data.size();
  context().counters.read_bytes += chunk.data.size();
  const MutexLock lock(mutex_);
  snapshot_.read_offset = offset_;
  snapshot_.size_bytes = position_;
  return ReadStatus::kData;
}

void DecodedSource::SkipLongLine(uint64_t bytes) {
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

ReadStatus DecodedSource::End() {
  switch (outcome_) {
    case Outcome::kIncomplete:
      return EndWith("ends in the middle of compressed data");
    case Outcome::kDamaged:
      return EndWith(decoding_->error());
    case Outcome::kData:
    case Outcome::kEnd:
      break;
  }
  return EndWith("");
}

UniqueFd DecodedSource::DuplicateFd() {
  const int fd = decoding_ != nullptr ? decoding_->fd() : fd_.get();
  return fd >= 0 ? UniqueFd(::fcntl(fd, F_DUPFD_CLOEXEC, 0)) : UniqueFd();
}

ReadStatus DecodedSource::EndWith(std::string_view problem) {
  if (!problem.empty()) {
    context().counters.read_errors += 1;
    context().logger.WriteLimited(
        LogLevel::kError, "decode " + place_, "tail",
        "compressed file cannot be read to its end: the rest is lost "
        "unless it changes",
        {{"job", job()}, {"path", place_}, {"error", problem}, {"offset", offset_}});
  }
  const Result<std::string> head = decoding_ != nullptr ? ReadHead(decoding_->fd()) : std::string();
  ended_ = true;
  SetDrained();
  {
    const MutexLock lock(mutex_);
    // It may have been empty, or short, when it was found.
    if (use_ == Use::kJob && head.ok() && BeginsWith(*head, snapshot_.identity.head)) {
      snapshot_.identity.head = HashHead(*head);
    }
    snapshot_.ended = true;
    snapshot_.caught_up = true;
    snapshot_.open = decoding_ != nullptr;  // That it could be.
    snapshot_.raw_bytes = decoding_ != nullptr ? decoding_->raw_bytes() : 0;
    snapshot_.incomplete = outcome_ == Outcome::kIncomplete || decoding_ == nullptr;
    snapshot_.error = problem;
  }
  decoding_.reset();
  Changed();
  return ReadStatus::kEnded;
}

}  // namespace agent
