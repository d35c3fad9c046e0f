#include "agent/tail/stream_decoder.h"

#include <bzlib.h>

#include <algorithm>
#include <limits>

#include <zlib.h>
#include <zstd.h>

#include "base/check.h"

namespace agent {
namespace {

constexpr int kMaxWindowBits = 15;
constexpr int kGzipFormat = 16;  // Added to the bits of the window: zlib's way of saying gzip.
// 32 MiB for a frame: more than any level of zstd up to 20 asks for.
constexpr int kMaxZstdWindowLog = 25;

unsigned Limited(std::size_t bytes) {
  return static_cast<unsigned>(
      std::min<std::size_t>(bytes, std::numeric_limits<unsigned>::max() / 2));
}

class ZlibDecoder final : public StreamDecoder {
 public:
  explicit ZlibDecoder(int window_bits) {
    inflateInit2(&stream_, window_bits);  // Without memory for it the first inflate() fails.
  }
  ZlibDecoder(const ZlibDecoder&) = delete;
  ZlibDecoder& operator=(const ZlibDecoder&) = delete;
  ~ZlibDecoder() override { inflateEnd(&stream_); }

  bool Decode(std::string_view& input, char* output, std::size_t room,
              std::size_t& written) override {
    written = 0;
    // Tapes and disks pad with NULs behind the last member; that is no damage.
    if (at_boundary_ && members_ > 0) {
      input.remove_prefix(std::min(input.find_first_not_of('\0'), input.size()));
    }
    if (input.empty()) return true;
    at_boundary_ = false;
    // zlib does not write to its input; its interface is older than const.
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
    stream_.avail_in = Limited(input.size());
    stream_.next_out = reinterpret_cast<Bytef*>(output);
    stream_.avail_out = Limited(room);
    const unsigned in_before = stream_.avail_in;
    const unsigned out_before = stream_.avail_out;
    const int outcome = inflate(&stream_, Z_NO_FLUSH);
    input.remove_prefix(in_before - stream_.avail_in);
    written = out_before - stream_.avail_out;
    if (outcome == Z_STREAM_END) {
      at_boundary_ = true;
      ++members_;
      inflateReset(&stream_);
      return true;
    }
    if (outcome == Z_OK || outcome == Z_BUF_ERROR) return true;
    return Fail(stream_.msg != nullptr ? stream_.msg : "damaged compressed data");
  }
  [[nodiscard]] bool at_boundary() const override { return at_boundary_; }

 private:
  z_stream stream_{};
  bool at_boundary_ = true;
  uint64_t members_ = 0;
};

class Bzip2Decoder final : public StreamDecoder {
 public:
  Bzip2Decoder() { Begin(); }
  Bzip2Decoder(const Bzip2Decoder&) = delete;
  Bzip2Decoder& operator=(const Bzip2Decoder&) = delete;
  ~Bzip2Decoder() override { BZ2_bzDecompressEnd(&stream_); }

  bool Decode(std::string_view& input, char* output, std::size_t room,
              std::size_t& written) override {
    written = 0;
    if (input.empty() && at_boundary_) return true;
    at_boundary_ = false;
    stream_.next_in = const_cast<char*>(input.data());
    stream_.avail_in = Limited(input.size());
    stream_.next_out = output;
    stream_.avail_out = Limited(room);
    const unsigned in_before = stream_.avail_in;
    const unsigned out_before = stream_.avail_out;
    const int outcome = BZ2_bzDecompress(&stream_);
    input.remove_prefix(in_before - stream_.avail_in);
    written = out_before - stream_.avail_out;
    if (outcome == BZ_STREAM_END) {
      BZ2_bzDecompressEnd(&stream_);
      Begin();
      at_boundary_ = true;
      return true;
    }
    if (outcome == BZ_OK) return true;
    return Fail(outcome == BZ_DATA_ERROR_MAGIC ? "not bzip2" : "damaged bzip2 data");
  }
  [[nodiscard]] bool at_boundary() const override { return at_boundary_; }

 private:
  void Begin() {
    stream_ = {};
    // Without memory for it the first BZ2_bzDecompress() fails.
    BZ2_bzDecompressInit(&stream_, /*verbosity=*/0, /*small=*/0);
  }

  bz_stream stream_{};
  bool at_boundary_ = true;
};

class ZstdDecoder final : public StreamDecoder {
 public:
  ZstdDecoder() : stream_(ZSTD_createDStream()) {
    ZSTD_DCtx_setParameter(stream_, ZSTD_d_windowLogMax, kMaxZstdWindowLog);
  }
  ZstdDecoder(const ZstdDecoder&) = delete;
  ZstdDecoder& operator=(const ZstdDecoder&) = delete;
  ~ZstdDecoder() override { ZSTD_freeDStream(stream_); }

  bool Decode(std::string_view& input, char* output, std::size_t room,
              std::size_t& written) override {
    written = 0;
    if (input.empty() && at_boundary_) return true;
    ZSTD_inBuffer in{input.data(), input.size(), 0};
    ZSTD_outBuffer out{output, room, 0};
    const std::size_t outcome = ZSTD_decompressStream(stream_, &out, &in);
    input.remove_prefix(in.pos);
    written = out.pos;
    if (ZSTD_isError(outcome) != 0) return Fail(ZSTD_getErrorName(outcome));
    at_boundary_ = outcome == 0;
    return true;
  }
  [[nodiscard]] bool at_boundary() const override { return at_boundary_; }

 private:
  ZSTD_DStream* const stream_;
  bool at_boundary_ = true;
};

}  // namespace

std::string_view CompressionName(Compression compression) {
  switch (compression) {
    case Compression::kGzip:
      return "gz";
    case Compression::kZlib:
      return "z";
    case Compression::kBzip2:
      return "bz2";
    case Compression::kZstd:
      return "zst";
    case Compression::kNone:
      break;
  }
  return "";
}

std::unique_ptr<StreamDecoder> StreamDecoder::Make(Compression compression) {
  switch (compression) {
    case Compression::kGzip:
      return std::make_unique<ZlibDecoder>(kMaxWindowBits + kGzipFormat);
    case Compression::kZlib:
      return std::make_unique<ZlibDecoder>(kMaxWindowBits);
    case Compression::kBzip2:
      return std::make_unique<Bzip2Decoder>();
    case Compression::kZstd:
      return std::make_unique<ZstdDecoder>();
    case Compression::kNone:
      break;
  }
  CHECK(false);
  return nullptr;
}

}  // namespace agent
