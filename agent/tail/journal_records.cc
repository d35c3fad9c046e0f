#include "agent/tail/journal_records.h"

#include <xxhash.h>

#include <cstddef>
#include <string_view>
#include <utility>

namespace agent {
namespace {

// Record: magic, payload length, checksum over both length and payload, payload. All little-endian.
constexpr uint32_t kMagic = 0x315A4A4CU;
constexpr std::size_t kFrameBytes = 16;
constexpr uint32_t kMaxPayload = 1U << 20;

enum class RecordType : uint8_t {
  kSource = 1,
  kSettled = 2,
  kForget = 3,
  kWritten = 4,
  kForgetWritten = 5,
  kCursor = 6,
  kCursorWritten = 7,
  kForgetCursor = 8,
};

class Encoder {
 public:
  explicit Encoder(RecordType type) { U8(static_cast<uint8_t>(type)); }
  void U8(uint8_t value) { bytes_ += static_cast<char>(value); }
  void U32(uint32_t value) { Number(value, 4); }
  void U64(uint64_t value) { Number(value, 8); }
  void Text(std::string_view text) {
    U32(static_cast<uint32_t>(text.size()));
    bytes_ += text;
  }
  void AppendTo(std::string& out) {
    std::string frame;
    frame.swap(bytes_);
    const auto length = static_cast<uint32_t>(frame.size());
    U32(length);
    bytes_ += frame;
    const uint64_t checksum = XXH3_64bits(bytes_.data(), bytes_.size());
    bytes_.clear();
    U32(kMagic);
    U32(length);
    U64(checksum);
    out += bytes_;
    out += frame;
  }

 private:
  void Number(uint64_t value, int size) {
    for (int i = 0; i < size; ++i)
      bytes_ += static_cast<char>((value >> (8 * i)) & 0xFF);
  }
  std::string bytes_;
};

uint64_t LoadNumber(const char* at, int size) {
  uint64_t value = 0;
  for (int i = size - 1; i >= 0; --i)
    value = (value << 8) | static_cast<unsigned char>(at[i]);
  return value;
}

// Reads past the end give zeros and ok() == false.
class Decoder {
 public:
  explicit Decoder(std::string_view bytes) : bytes_(bytes) {}
  uint8_t U8() { return static_cast<uint8_t>(Number(1)); }
  uint32_t U32() { return static_cast<uint32_t>(Number(4)); }
  uint64_t U64() { return Number(8); }
  std::string Text() {
    const uint32_t length = U32();
    if (length > bytes_.size()) {
      ok_ = false;
      return {};
    }
    std::string text(bytes_.substr(0, length));
    bytes_.remove_prefix(length);
    return text;
  }
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] std::size_t left() const { return bytes_.size(); }

 private:
  uint64_t Number(int size) {
    if (bytes_.size() < static_cast<std::size_t>(size)) {
      ok_ = false;
      return 0;
    }
    const uint64_t value = LoadNumber(bytes_.data(), size);
    bytes_.remove_prefix(static_cast<std::size_t>(size));
    return value;
  }
  std::string_view bytes_;
  bool ok_ = true;
};

// Guards a kSettled record against being applied to another list of outputs than it was made for.
uint64_t OutputsHash(const SourceRecord& record) {
  std::string names;
  for (const auto& [name, offset] : record.settled)
    names += name + '\n';
  return XXH3_64bits(names.data(), names.size());
}

bool ApplySource(Decoder& in, JournalState& state) {
  SourceRecord record;
  record.key.id = in.U64();
  record.key.generation = in.U32();
  record.identity.key.device = in.U64();
  record.identity.key.inode = in.U64();
  record.identity.head.hash = in.U64();
  record.identity.head.length = in.U32();
  record.path = in.Text();
  record.place = in.Text();
  record.job = in.Text();
  record.labels_hash = in.U64();
  record.modified_ns = static_cast<int64_t>(in.U64());
  record.gone_since_s = static_cast<int64_t>(in.U64());
  const uint32_t outputs = in.U32();
  for (uint32_t i = 0; i < outputs && in.ok(); ++i) {
    std::string name = in.Text();
    const uint64_t offset = in.U64();
    record.settled.emplace_back(std::move(name), offset);
  }
  if (!in.ok()) return false;
  const SourceKey key = record.key;
  state.sources[key] = std::move(record);
  return true;
}

bool ApplySettled(Decoder& in, JournalState& state) {
  SourceKey key;
  key.id = in.U64();
  key.generation = in.U32();
  const uint64_t outputs_hash = in.U64();
  const auto at = state.sources.find(key);
  if (!in.ok() || at == state.sources.end()) return false;
  SourceRecord& record = at->second;
  if (OutputsHash(record) != outputs_hash) return false;
  if (in.left() != record.settled.size() * 8) return false;
  for (auto& [name, offset] : record.settled)
    offset = in.U64();
  return true;
}

bool ApplyCursor(uint8_t type, Decoder& in, JournalState& state) {
  const std::string key = in.Text();
  if (type == static_cast<uint8_t>(RecordType::kCursor)) {
    const std::string value = in.Text();
    if (in.ok()) state.cursors[key].settled = value;
    return in.ok();
  }
  if (type == static_cast<uint8_t>(RecordType::kCursorWritten)) {
    const std::string latest = in.Text();
    const std::string previous = in.Text();
    if (in.ok()) {
      state.cursors[key].latest = latest;
      state.cursors[key].previous = previous;
    }
    return in.ok();
  }
  if (type == static_cast<uint8_t>(RecordType::kForgetCursor)) {
    if (in.ok()) state.cursors.erase(key);
    return in.ok();
  }
  return true;  // A later version's: not ours to judge.
}

bool Apply(std::string_view payload, JournalState& state) {
  Decoder in(payload);
  const uint8_t type = in.U8();
  if (type == static_cast<uint8_t>(RecordType::kSource)) return ApplySource(in, state);
  if (type == static_cast<uint8_t>(RecordType::kSettled)) return ApplySettled(in, state);
  if (type == static_cast<uint8_t>(RecordType::kForget)) {
    SourceKey key;
    key.id = in.U64();
    key.generation = in.U32();
    if (in.ok()) state.sources.erase(key);
    return in.ok();
  }
  if (type == static_cast<uint8_t>(RecordType::kWritten)) {
    const std::string path = in.Text();
    WrittenPosition written;
    written.latest = in.U64();
    written.previous = in.U64();
    if (in.ok()) state.written[path] = written;
    return in.ok();
  }
  if (type == static_cast<uint8_t>(RecordType::kForgetWritten)) {
    const std::string path = in.Text();
    if (in.ok()) state.written.erase(path);
    return in.ok();
  }
  if (type >= static_cast<uint8_t>(RecordType::kCursor)) return ApplyCursor(type, in, state);
  return true;
}

// The whole record at the start of `bytes`; empty when there is none.
std::string_view WholeRecord(std::string_view bytes) {
  if (bytes.size() < kFrameBytes || LoadNumber(bytes.data(), 4) != kMagic) return {};
  const uint64_t length = LoadNumber(bytes.data() + 4, 4);
  if (length == 0 || length > kMaxPayload || length > bytes.size() - kFrameBytes) return {};
  const std::string_view payload = bytes.substr(kFrameBytes, length);
  std::string checked(bytes.substr(4, 4));
  checked += payload;
  if (XXH3_64bits(checked.data(), checked.size()) != LoadNumber(bytes.data() + 8, 8)) return {};
  return payload;
}

// Where the next whole record begins after damage at the start of `bytes`; npos: none.
std::size_t FindRecord(std::string_view bytes) {
  std::string magic(4, '\0');
  for (std::size_t i = 0; i < 4; ++i)
    magic[i] = static_cast<char>((kMagic >> (8 * i)) & 0xFF);
  for (std::size_t at = bytes.find(magic, 1); at != std::string_view::npos;
       at = bytes.find(magic, at + 1)) {
    if (!WholeRecord(bytes.substr(at)).empty()) return at;
  }
  return std::string_view::npos;
}

}  // namespace

void EncodeSource(const SourceRecord& record, std::string& out) {
  Encoder encoder(RecordType::kSource);
  encoder.U64(record.key.id);
  encoder.U32(record.key.generation);
  encoder.U64(record.identity.key.device);
  encoder.U64(record.identity.key.inode);
  encoder.U64(record.identity.head.hash);
  encoder.U32(record.identity.head.length);
  encoder.Text(record.path);
  encoder.Text(record.place);
  encoder.Text(record.job);
  encoder.U64(record.labels_hash);
  encoder.U64(static_cast<uint64_t>(record.modified_ns));
  encoder.U64(static_cast<uint64_t>(record.gone_since_s));
  encoder.U32(static_cast<uint32_t>(record.settled.size()));
  for (const auto& [name, offset] : record.settled) {
    encoder.Text(name);
    encoder.U64(offset);
  }
  encoder.AppendTo(out);
}

void EncodeSettled(const SourceRecord& record, std::string& out) {
  Encoder encoder(RecordType::kSettled);
  encoder.U64(record.key.id);
  encoder.U32(record.key.generation);
  encoder.U64(OutputsHash(record));
  for (const auto& [name, offset] : record.settled)
    encoder.U64(offset);
  encoder.AppendTo(out);
}

void EncodeWritten(const std::string& path, const WrittenPosition& written, std::string& out) {
  Encoder encoder(RecordType::kWritten);
  encoder.Text(path);
  encoder.U64(written.latest);
  encoder.U64(written.previous);
  encoder.AppendTo(out);
}

void EncodeForget(const SourceKey& key, std::string& out) {
  Encoder encoder(RecordType::kForget);
  encoder.U64(key.id);
  encoder.U32(key.generation);
  encoder.AppendTo(out);
}

void EncodeForgetWritten(const std::string& path, std::string& out) {
  Encoder encoder(RecordType::kForgetWritten);
  encoder.Text(path);
  encoder.AppendTo(out);
}

void EncodeCursor(const std::string& key, const std::string& value, std::string& out) {
  Encoder encoder(RecordType::kCursor);
  encoder.Text(key);
  encoder.Text(value);
  encoder.AppendTo(out);
}

void EncodeCursorWritten(const std::string& key, const CursorRecord& record, std::string& out) {
  Encoder encoder(RecordType::kCursorWritten);
  encoder.Text(key);
  encoder.Text(record.latest);
  encoder.Text(record.previous);
  encoder.AppendTo(out);
}

void EncodeForgetCursor(const std::string& key, std::string& out) {
  Encoder encoder(RecordType::kForgetCursor);
  encoder.Text(key);
  encoder.AppendTo(out);
}

void ReplayJournal(std::string_view bytes, JournalState& state, JournalReport& report) {
  while (!bytes.empty()) {
    const std::string_view payload = WholeRecord(bytes);
    if (!payload.empty()) {
      ++report.records;
      if (!Apply(payload, state)) ++report.damaged_records;
      bytes.remove_prefix(kFrameBytes + payload.size());
      continue;
    }
    const std::size_t next = FindRecord(bytes);
    if (next == std::string_view::npos) {
      report.torn_bytes += bytes.size();
      return;
    }
    ++report.damaged_records;
    bytes.remove_prefix(next);
  }
}

std::string FormatJournal(const JournalState& state) {
  std::string out;
  for (const auto& [key, record] : state.sources)
    EncodeSource(record, out);
  for (const auto& [path, written] : state.written)
    EncodeWritten(path, written, out);
  for (const auto& [key, record] : state.cursors) {
    EncodeCursor(key, record.settled, out);
    EncodeCursorWritten(key, record, out);
  }
  if (out.empty()) {
    // An empty file would look like a lost one.
    EncodeForgetWritten("", out);
  }
  return out;
}

}  // namespace agent
