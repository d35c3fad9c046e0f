#include "outputs/buffer/block_format.h"

#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include <zstd.h>

#include "base/check.h"

namespace agent {
namespace {

constexpr std::string_view kSegmentMagic = "LOGABUF\n";
constexpr std::string_view kBlockMagic{"\xB1\x0C\xA6\x4C", 4};
constexpr uint32_t kVersion = 1;
constexpr uint32_t kByteOrder = 0x01020304;
constexpr int kLevel = 1;
// So much of a body is tried first: what is compressed well already is not gone through for
// nothing.
constexpr std::size_t kSampleBytes = std::size_t{32} << 10;
constexpr std::size_t kMaxPayloadBytes = std::size_t{1} << 30;

void Put(char* to, uint64_t value, int size) {
  for (int i = 0; i < size; ++i)
    to[i] = static_cast<char>((value >> (8 * i)) & 0xFFU);
}

uint64_t Get(std::string_view bytes, std::size_t at, int size) {
  uint64_t value = 0;
  for (int i = size - 1; i >= 0; --i)
    value = (value << 8) | static_cast<unsigned char>(bytes[at + static_cast<std::size_t>(i)]);
  return value;
}

uint64_t Hash(std::string_view bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

void PutVarint(std::string& out, uint64_t value) {
  while (value >= 0x80) {
    out += static_cast<char>((value & 0x7fU) | 0x80U);
    value >>= 7;
  }
  out += static_cast<char>(value);
}

void PutText(std::string& out, std::string_view text) {
  PutVarint(out, text.size());
  out += text;
}

// Reads past the end give zeros and ok() == false.
class PayloadReader {
 public:
  explicit PayloadReader(std::string_view bytes) : left_(bytes) {}

  uint64_t Varint() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !left_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(left_.front());
      left_.remove_prefix(1);
      value |= uint64_t{byte & 0x7fU} << shift;
      if (byte < 0x80) return value;
    }
    ok_ = false;
    return 0;
  }
  std::string_view Text() {
    const uint64_t size = Varint();
    if (size > left_.size()) {
      ok_ = false;
      return {};
    }
    const std::string_view text = left_.substr(0, size);
    left_.remove_prefix(size);
    return text;
  }
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] std::size_t left() const { return left_.size(); }

 private:
  std::string_view left_;
  bool ok_ = true;
};

// Offsets grow from one entry to the next, as a rule: a signed difference, the sign in the lowest
// bit.
uint64_t Difference(uint64_t from, uint64_t to) {
  const auto difference = static_cast<int64_t>(to - from);
  return (static_cast<uint64_t>(difference) << 1) ^ static_cast<uint64_t>(difference >> 63);
}

uint64_t Apply(uint64_t from, uint64_t difference) {
  return from + ((difference >> 1) ^ (~(difference & 1U) + 1U));
}

void PutPayload(const StoredBatch& batch, std::string& out) {
  PutText(out, batch.tenant);
  PutVarint(out, batch.raw_size);
  PutVarint(out, batch.line_bytes);
  PutVarint(out, batch.jobs.size());
  for (const std::string& job : batch.jobs)
    PutText(out, job);
  PutVarint(out, batch.origins.size());
  uint64_t offset = 0;
  for (const EntryOrigin& origin : batch.origins) {
    PutVarint(out, origin.pin == EntryOrigin::kNoPin ? 0 : uint64_t{origin.pin} + 1);
    PutVarint(out, origin.source_bytes);
    PutVarint(out, Difference(offset, origin.offset));
    offset = origin.offset;
  }
  PutVarint(out, batch.unsendable.size());
  for (const uint32_t entry : batch.unsendable)
    PutVarint(out, entry);
  PutText(out, {batch.body.data.get(), batch.body.size});
}

bool ReadOrigins(PayloadReader& reader, std::size_t entries, StoredBatch& batch) {
  const uint64_t count = reader.Varint();
  // Each takes three bytes at least: a count that lies asks for no memory.
  if (count != entries || count > reader.left() / 3) return false;
  batch.origins.reserve(count);
  uint64_t offset = 0;
  for (uint64_t i = 0; i < count; ++i) {
    EntryOrigin origin;
    const uint64_t pin = reader.Varint();
    if (pin > batch.jobs.size()) return false;
    if (pin > 0) origin.pin = static_cast<uint32_t>(pin - 1);
    origin.source_bytes = static_cast<uint32_t>(reader.Varint());
    offset = Apply(offset, reader.Varint());
    origin.offset = offset;
    batch.origins.push_back(origin);
  }
  return reader.ok();
}

bool ReadUnsendable(PayloadReader& reader, StoredBatch& batch) {
  const uint64_t count = reader.Varint();
  if (count > batch.origins.size()) return false;
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t entry = reader.Varint();
    if (entry >= batch.origins.size()) return false;
    batch.unsendable.push_back(static_cast<uint32_t>(entry));
  }
  return reader.ok();
}

}  // namespace

std::string EncodeSegmentHeader(const SegmentHeader& header) {
  std::string out(kSegmentHeaderBytes, '\0');
  std::copy(kSegmentMagic.begin(), kSegmentMagic.end(), out.begin());
  Put(out.data() + 8, kVersion, 4);
  Put(out.data() + 12, kByteOrder, 4);
  Put(out.data() + 16, header.output_hash, 8);
  Put(out.data() + 24, header.first_id, 8);
  Put(out.data() + 32, static_cast<uint64_t>(header.created_wall_ns), 8);
  CHECK(header.kind.size() <= kMaxKindBytes);
  std::copy(header.kind.begin(), header.kind.end(), out.begin() + 40);
  const std::string_view written = out;
  Put(out.data() + 56, Hash(written.substr(0, 56)), 8);
  return out;
}

std::optional<SegmentHeader> ParseSegmentHeader(std::string_view bytes) {
  if (bytes.size() < kSegmentHeaderBytes || !bytes.starts_with(kSegmentMagic)) return std::nullopt;
  if (Get(bytes, 8, 4) != kVersion || Get(bytes, 12, 4) != kByteOrder) return std::nullopt;
  if (Get(bytes, 56, 8) != Hash(bytes.substr(0, 56))) return std::nullopt;
  SegmentHeader header;
  header.output_hash = Get(bytes, 16, 8);
  header.first_id = Get(bytes, 24, 8);
  header.created_wall_ns = static_cast<int64_t>(Get(bytes, 32, 8));
  const std::string_view kind = bytes.substr(40, kMaxKindBytes);
  header.kind = kind.substr(0, kind.find('\0'));
  return header;
}

std::string_view BlockMagic() {
  return kBlockMagic;
}

std::optional<BlockHeader> ParseBlockHeader(std::string_view bytes) {
  if (bytes.size() < kBlockHeaderBytes || !bytes.starts_with(kBlockMagic)) return std::nullopt;
  if (Get(bytes, 48, 8) != Hash(bytes.substr(0, 48))) return std::nullopt;
  BlockHeader header;
  header.stored_size = static_cast<uint32_t>(Get(bytes, 4, 4));
  header.raw_size = static_cast<uint32_t>(Get(bytes, 8, 4));
  const uint64_t codec = Get(bytes, 12, 4);
  header.compressed = codec == 1;
  header.id = Get(bytes, 16, 8);
  header.entries = static_cast<uint32_t>(Get(bytes, 24, 4));
  header.number = static_cast<uint32_t>(Get(bytes, 28, 4));
  header.created_wall_ns = static_cast<int64_t>(Get(bytes, 32, 8));
  header.payload_hash = Get(bytes, 40, 8);
  const bool sizes_fit = header.compressed || header.raw_size == header.stored_size;
  if (codec > 1 || !sizes_fit || header.raw_size > kMaxPayloadBytes) return std::nullopt;
  return header;
}

uint64_t PayloadHash(std::string_view payload) {
  return Hash(payload);
}

bool PayloadIsWhole(const BlockHeader& header, std::string_view payload) {
  return payload.size() == header.stored_size && Hash(payload) == header.payload_hash;
}

struct BlockCodec::State {
  std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> compressor{ZSTD_createCCtx(), ZSTD_freeCCtx};
  std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> decompressor{ZSTD_createDCtx(),
                                                                    ZSTD_freeDCtx};
  std::string raw;
  std::string block;

  // Into `block`, behind room for the header. Size; 0 when it is not worth it.
  std::size_t Compress(std::string_view from) {
    const std::size_t room = ZSTD_compressBound(from.size());
    block.resize(kBlockHeaderBytes + room);
    const std::size_t size = ZSTD_compressCCtx(compressor.get(), block.data() + kBlockHeaderBytes,
                                               room, from.data(), from.size(), kLevel);
    // A fifth of what snappy has left costs as much as half of a pipeline: not for less than a
    // third.
    return ZSTD_isError(size) == 0 && size <= from.size() / 3 * 2 ? size : 0;
  }
};

BlockCodec::BlockCodec() : state_(std::make_unique<State>()) {}

BlockCodec::~BlockCodec() = default;

std::string_view BlockCodec::Encode(const StoredBatch& batch, uint32_t number) {
  std::string& raw = state_->raw;
  std::string& block = state_->block;
  raw.clear();
  raw.reserve(batch.body.size + batch.origins.size() * 6 + 256);
  PutPayload(batch, raw);
  CHECK(raw.size() <= kMaxPayloadBytes);

  // The end of the payload is body, the rest compresses anyway.
  const std::string_view whole = raw;
  const std::string_view tail = whole.substr(raw.size() - std::min(raw.size(), kSampleBytes));
  const bool worth = tail.size() == raw.size() || state_->Compress(tail) > 0;
  const std::size_t compressed = worth ? state_->Compress(raw) : 0;
  const std::size_t stored = compressed > 0 ? compressed : raw.size();
  block.resize(kBlockHeaderBytes + stored);
  if (compressed == 0) std::memcpy(block.data() + kBlockHeaderBytes, raw.data(), raw.size());

  const std::string_view written = block;
  char* const to = block.data();
  std::memset(to, 0, kBlockHeaderBytes);
  std::copy(kBlockMagic.begin(), kBlockMagic.end(), to);
  Put(to + 4, stored, 4);
  Put(to + 8, raw.size(), 4);
  Put(to + 12, compressed > 0 ? 1 : 0, 4);
  Put(to + 16, batch.id, 8);
  Put(to + 24, batch.origins.size(), 4);
  Put(to + 28, number, 4);
  Put(to + 32, static_cast<uint64_t>(batch.created_wall_ns), 8);
  Put(to + 40, Hash(written.substr(kBlockHeaderBytes)), 8);
  Put(to + 48, Hash(written.substr(0, 48)), 8);
  return block;
}

Result<StoredBatch> BlockCodec::Decode(const BlockHeader& header, std::string_view payload) {
  const Error damaged{ErrorCode::kInvalid, "damaged block"};
  if (!PayloadIsWhole(header, payload)) return damaged;
  std::string_view raw = payload;
  if (header.compressed) {
    // Before memory is taken for it.
    if (ZSTD_getFrameContentSize(payload.data(), payload.size()) != header.raw_size) return damaged;
    state_->raw.resize(header.raw_size);
    const std::size_t size =
        ZSTD_decompressDCtx(state_->decompressor.get(), state_->raw.data(), state_->raw.size(),
                            payload.data(), payload.size());
    if (ZSTD_isError(size) != 0 || size != header.raw_size) return damaged;
    raw = state_->raw;
  }
  PayloadReader reader(raw);
  StoredBatch batch;
  batch.id = header.id;
  batch.created_wall_ns = header.created_wall_ns;
  batch.tenant = reader.Text();
  batch.raw_size = reader.Varint();
  batch.line_bytes = reader.Varint();
  const uint64_t jobs = reader.Varint();
  for (uint64_t i = 0; i < jobs && reader.ok(); ++i)
    batch.jobs.emplace_back(reader.Text());
  if (!reader.ok() || !ReadOrigins(reader, header.entries, batch)) return damaged;
  if (!ReadUnsendable(reader, batch)) return damaged;
  const std::string_view body = reader.Text();
  if (!reader.ok() || reader.left() > 0) return damaged;
  batch.body.size = body.size();
  batch.body.data = std::make_unique_for_overwrite<char[]>(body.size());
  std::memcpy(batch.body.data.get(), body.data(), body.size());
  return batch;
}

}  // namespace agent
