#include "outputs/deflate.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include <zlib.h>

#include "base/check.h"

#include <isa-l/igzip_lib.h>

namespace agent {
namespace {

// What is made at once has room for so much.
constexpr std::size_t kOutputStep = std::size_t{64} << 10;
constexpr std::size_t kMaxKeptBytes = std::size_t{2} << 20;
constexpr int kMaxIsalLevel = 3;
constexpr int kZlibMemoryLevel = 8;
constexpr int kGzipWindowBits = 15 + 16;
constexpr int kAnyWindowBits = 15 + 32;  // zlib's way to say: either header.

}  // namespace

class Deflater::Codec {
 public:
  virtual ~Codec() = default;
  virtual void Reset() = 0;
  virtual void Run(std::string_view bytes, bool last, GrowingBuffer& out) = 0;
};

class Deflater::IsalCodec final : public Codec {
 public:
  explicit IsalCodec(DeflateFormat format) : format_(format), level_buffer_(ISAL_DEF_LVL1_DEFAULT) {
    IsalCodec::Reset();
  }

  void Reset() override {
    isal_deflate_init(&stream_);
    stream_.level = 1;
    stream_.level_buf = level_buffer_.data();
    stream_.level_buf_size = static_cast<uint32_t>(level_buffer_.size());
    stream_.gzip_flag = format_ == DeflateFormat::kGzip ? IGZIP_GZIP : IGZIP_ZLIB;
    stream_.flush = NO_FLUSH;
  }

  void Run(std::string_view bytes, bool last, GrowingBuffer& out) override {
    // ISA-L counts in 32 bits, and does not write to its input.
    stream_.next_in = reinterpret_cast<uint8_t*>(const_cast<char*>(bytes.data()));
    stream_.avail_in = static_cast<uint32_t>(bytes.size());
    stream_.end_of_stream = last ? 1 : 0;
    do {
      out.Ensure(kOutputStep);
      stream_.next_out = reinterpret_cast<uint8_t*>(out.end());
      stream_.avail_out = kOutputStep;
      const int result = isal_deflate(&stream_);
      CHECK(result == COMP_OK);
      out.Extend(kOutputStep - stream_.avail_out);
    } while (stream_.avail_out == 0);
  }

 private:
  const DeflateFormat format_;
  isal_zstream stream_{};
  std::vector<uint8_t> level_buffer_;
};

class Deflater::ZlibCodec final : public Codec {
 public:
  ZlibCodec(DeflateFormat format, int level) {
    const int window = format == DeflateFormat::kGzip ? kGzipWindowBits : MAX_WBITS;
    const int result =
        deflateInit2(&stream_, level, Z_DEFLATED, window, kZlibMemoryLevel, Z_DEFAULT_STRATEGY);
    CHECK(result == Z_OK);
  }
  ZlibCodec(const ZlibCodec&) = delete;
  ZlibCodec& operator=(const ZlibCodec&) = delete;
  ~ZlibCodec() override { deflateEnd(&stream_); }
  void Reset() override { deflateReset(&stream_); }

  void Run(std::string_view bytes, bool last, GrowingBuffer& out) override {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream_.avail_in = static_cast<uInt>(bytes.size());
    do {
      out.Ensure(kOutputStep);
      stream_.next_out = reinterpret_cast<Bytef*>(out.end());
      stream_.avail_out = kOutputStep;
      const int result = deflate(&stream_, last ? Z_FINISH : Z_NO_FLUSH);
      CHECK(result != Z_STREAM_ERROR);
      out.Extend(kOutputStep - stream_.avail_out);
    } while (stream_.avail_out == 0);
  }

 private:
  z_stream stream_{};
};

Deflater::Deflater(DeflateFormat format, int level) {
  if (level <= kMaxIsalLevel) {
    codec_ = std::make_unique<IsalCodec>(format);
  } else {
    codec_ = std::make_unique<ZlibCodec>(format, level);
  }
}

Deflater::~Deflater() = default;

void Deflater::Add(std::string_view bytes) {
  // Their counters have 32 bits.
  constexpr std::size_t kMaxInput = std::size_t{1} << 30;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(bytes.size(), kMaxInput)))
    codec_->Run(bytes.substr(0, kMaxInput), /*last=*/false, out_);
}

Bytes Deflater::Finish() {
  codec_->Run({}, /*last=*/true, out_);
  Bytes bytes{std::make_unique_for_overwrite<char[]>(out_.size()), out_.size()};
  std::memcpy(bytes.data.get(), out_.data(), out_.size());
  Reset();
  return bytes;  // NOLINT(clang-analyzer-cplusplus.NewDeleteLeaks): the caller's.
}

void Deflater::Reset() {
  codec_->Reset();
  out_.Clear();
  // The room stays, or bodies would lie in the holes that it leaves.
  if (out_.capacity() > kMaxKeptBytes) out_ = GrowingBuffer();
}

Result<std::string> Inflate(std::string_view bytes, std::size_t raw_size) {
  std::string raw(raw_size, '\0');
  z_stream stream{};
  if (inflateInit2(&stream, kAnyWindowBits) != Z_OK) {
    return Error{ErrorCode::kUnavailable, "no memory to decompress"};
  }
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(raw.data());
  stream.avail_out = static_cast<uInt>(raw.size());
  const int result = inflate(&stream, Z_FINISH);
  const bool whole = result == Z_STREAM_END && stream.avail_out == 0;
  inflateEnd(&stream);
  if (!whole) return Error{ErrorCode::kInvalid, "damaged, or of another size"};
  return raw;
}

}  // namespace agent
