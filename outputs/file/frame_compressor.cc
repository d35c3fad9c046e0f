#include "outputs/file/frame_compressor.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include <zlib.h>
#include <zstd.h>

#include "base/check.h"
#include "outputs/deflate.h"

namespace agent::file {
namespace {

constexpr int kUsualGzipLevel = 1;
constexpr int kUsualZstdLevel = 3;
constexpr std::size_t kGzipHeaderBytes = 10;
// gzip's flag for a field of one's own, and ours: "LA", 4 bytes, the length.
constexpr char kHasExtra = 4;
constexpr std::string_view kExtra("\x08\x00LA\x04\x00", 6);
constexpr std::string_view kGzipMagic = "\x1f\x8b\x08";
constexpr std::string_view kZstdMagic = "\x28\xb5\x2f\xfd";
constexpr std::size_t kStep = std::size_t{256} << 10;
constexpr int kAnyGzip = 15 + 16;
constexpr std::size_t kMaxBodyBytes = std::size_t{256} << 20;
constexpr std::size_t kMaxKeptBytes = std::size_t{2} << 20;

Bytes MakeBytes(std::size_t size) {
  return {std::make_unique_for_overwrite<char[]>(size), size};
}

// The header of gzip with our field in it.
Bytes WithLength(const Bytes& member) {
  const std::size_t added = kMemberHeaderBytes - kGzipHeaderBytes;
  Bytes out = MakeBytes(member.size + added);
  char* to = out.data.get();
  std::memcpy(to, member.data.get(), kGzipHeaderBytes);
  to[3] = static_cast<char>(to[3] | kHasExtra);
  std::memcpy(to + kGzipHeaderBytes, kExtra.data(), kExtra.size());
  const auto length = static_cast<uint32_t>(out.size);
  for (std::size_t i = 0; i < 4; ++i) {
    to[kGzipHeaderBytes + kExtra.size() + i] = static_cast<char>(length >> (8 * i));
  }
  std::memcpy(to + kMemberHeaderBytes, member.data.get() + kGzipHeaderBytes,
              member.size - kGzipHeaderBytes);
  return out;
}

struct FreeContext {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

Error Damaged() {
  return {ErrorCode::kInvalid, "damaged"};
}

// `max_bytes` kDiscard: only looks whether it can be done.
constexpr std::size_t kDiscard = 0;

Result<std::string> Gunzip(std::string_view bytes, std::size_t max_bytes) {
  z_stream stream{};
  CHECK(inflateInit2(&stream, kAnyGzip) == Z_OK);
  std::string out;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  int result = Z_OK;
  while (result == Z_OK) {
    if (max_bytes == kDiscard) out.clear();
    if (out.size() > max_bytes) break;
    const std::size_t before = out.size();
    out.resize(before + kStep);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + before);
    stream.avail_out = static_cast<uInt>(kStep);
    result = inflate(&stream, Z_NO_FLUSH);
    out.resize(before + kStep - stream.avail_out);
    if (result == Z_STREAM_END && stream.avail_in > 0) result = inflateReset(&stream);
  }
  inflateEnd(&stream);
  const bool too_large = max_bytes != kDiscard && out.size() > max_bytes;
  if (result != Z_STREAM_END || too_large) return Damaged();
  return out;
}

Result<std::string> Unzstd(std::string_view bytes, std::size_t max_bytes) {
  const std::unique_ptr<ZSTD_DCtx, FreeContext> context(ZSTD_createDCtx());
  CHECK(context != nullptr);
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  std::string out;
  std::size_t left = 1;
  while (in.pos < in.size || left > 0) {
    if (max_bytes == kDiscard) out.clear();
    const std::size_t before = out.size();
    out.resize(before + kStep);
    ZSTD_outBuffer to{out.data() + before, kStep, 0};
    left = ZSTD_decompressStream(context.get(), &to, &in);
    out.resize(before + to.pos);
    const bool too_large = max_bytes != kDiscard && out.size() > max_bytes;
    if (ZSTD_isError(left) != 0 || too_large) return Damaged();
    if (in.pos == in.size && left > 0 && to.pos < kStep) return Damaged();  // It ends too early.
  }
  return out;
}

}  // namespace

class FrameCodec::Impl {
 public:
  virtual ~Impl() = default;
  virtual Bytes Compress(std::string_view bytes) = 0;

  class Gzip;
  class Zstd;
};

class FrameCodec::Impl::Gzip final : public Impl {
 public:
  explicit Gzip(int level) : deflater_(DeflateFormat::kGzip, level) {}
  Bytes Compress(std::string_view bytes) override {
    deflater_.Add(bytes);
    return WithLength(deflater_.Finish());
  }

 private:
  Deflater deflater_;
};

class FrameCodec::Impl::Zstd final : public Impl {
 public:
  explicit Zstd(int level) : context_(ZSTD_createCCtx()) {
    CHECK(context_ != nullptr);
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 1);
  }
  Bytes Compress(std::string_view bytes) override {
    packed_.Clear();
    packed_.Ensure(ZSTD_compressBound(bytes.size()));
    const std::size_t size = ZSTD_compress2(context_.get(), packed_.end(), packed_.capacity(),
                                            bytes.data(), bytes.size());
    CHECK(ZSTD_isError(size) == 0);
    Bytes out = MakeBytes(size);
    std::memcpy(out.data.get(), packed_.data(), size);
    if (packed_.capacity() > kMaxKeptBytes) packed_ = GrowingBuffer();
    return out;
  }

 private:
  std::unique_ptr<ZSTD_CCtx, FreeContext> context_;
  GrowingBuffer packed_;
};

FrameCodec::FrameCodec(FileCompression compression, int level) {
  if (compression == FileCompression::kGzip) {
    impl_ = std::make_unique<Impl::Gzip>(level > 0 ? level : kUsualGzipLevel);
  } else if (compression == FileCompression::kZstd) {
    impl_ = std::make_unique<Impl::Zstd>(level > 0 ? level : kUsualZstdLevel);
  }
}

FrameCodec::~FrameCodec() = default;

Bytes FrameCodec::Compress(std::string_view bytes) {
  CHECK(impl_ != nullptr);
  return impl_->Compress(bytes);
}

Bytes FrameCompressor::Finish() {
  Bytes out = codec_.Compress({bytes_.data(), bytes_.size()});
  bytes_.Clear();
  if (bytes_.capacity() > kMaxKeptBytes) bytes_ = GrowingBuffer();
  return out;
}

std::optional<uint32_t> MemberLength(std::string_view header) {
  const bool ours = header.starts_with(kGzipMagic) && header[3] == kHasExtra &&
                    header.substr(kGzipHeaderBytes).starts_with(kExtra);
  if (!ours) return std::nullopt;
  uint32_t length = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const char byte = header[kGzipHeaderBytes + kExtra.size() + i];
    length |= static_cast<uint32_t>(static_cast<unsigned char>(byte)) << (8 * i);
  }
  return length;
}

bool IsIntact(std::string_view frame) {
  return frame.starts_with(kGzipMagic) ? Gunzip(frame, kDiscard).ok()
                                       : Unzstd(frame, kDiscard).ok();
}

Result<std::string> Decompress(std::string_view bytes, std::size_t max_bytes) {
  if (bytes.starts_with(kGzipMagic)) return Gunzip(bytes, max_bytes);
  if (bytes.starts_with(kZstdMagic)) return Unzstd(bytes, max_bytes);
  return std::string(bytes);
}

Bytes Fitting(const Bytes& body, FileCompression compression, int level) {
  const std::string_view bytes(body.data.get(), body.size);
  FileCompression made_for = FileCompression::kNone;
  if (bytes.starts_with(kGzipMagic)) made_for = FileCompression::kGzip;
  if (bytes.starts_with(kZstdMagic)) made_for = FileCompression::kZstd;
  if (made_for == compression) return body;
  const Result<std::string> text = Decompress(bytes, kMaxBodyBytes);
  if (!text.ok()) return body;  // Text that only begins like it.
  if (compression != FileCompression::kNone) return FrameCodec(compression, level).Compress(*text);
  Bytes plain = MakeBytes(text->size());
  std::memcpy(plain.data.get(), text->data(), text->size());
  return plain;
}

}  // namespace agent::file
