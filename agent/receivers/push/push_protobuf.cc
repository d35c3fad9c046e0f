// The push request as protobuf, read by hand: four messages, two wire types. What is unknown is
// skipped, as the format wants it.

#include <cstdint>
#include <limits>
#include <optional>

#include "agent/receivers/push/label_text.h"
#include "agent/receivers/push/pushed_streams.h"

namespace agent {
namespace {

constexpr unsigned kVarint = 0;
constexpr unsigned kFixed64 = 1;
constexpr unsigned kBytes = 2;
constexpr unsigned kFixed32 = 5;
constexpr int64_t kNanosPerSecond = 1'000'000'000;

struct Field {
  uint64_t number = 0;
  unsigned type = 0;
  uint64_t value = 0;      // Of a varint.
  std::string_view bytes;  // Of the others.
};

// The fields of one message.
class FieldCursor {
 public:
  explicit FieldCursor(std::string_view message) : rest_(message) {}

  // False at the end, and when the message is damaged.
  bool Next(Field& field) {
    if (rest_.empty()) return false;
    uint64_t key = 0;
    damaged_ = !ReadVarint(key) || !ReadValue(key, field);
    return !damaged_;
  }
  // A field that is known has another type than it must have.
  void SetDamaged() { damaged_ = true; }
  [[nodiscard]] bool damaged() const { return damaged_; }

 private:
  bool ReadVarint(uint64_t& value) {
    value = 0;
    for (unsigned shift = 0; shift < 70 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      if (shift < 64) value |= static_cast<uint64_t>(byte & 0x7FU) << shift;
      if (byte < 0x80) return true;
    }
    return false;
  }

  bool ReadValue(uint64_t key, Field& field) {
    field = {key >> 3U, static_cast<unsigned>(key & 7U), 0, {}};
    if (field.number == 0) return false;
    if (field.type == kVarint) return ReadVarint(field.value);
    uint64_t size = 0;
    if (field.type == kFixed64) {
      size = 8;
    } else if (field.type == kFixed32) {
      size = 4;
    } else if (field.type != kBytes || !ReadVarint(size)) {
      return false;
    }
    if (size > rest_.size()) return false;
    field.bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return true;
  }

  std::string_view rest_;
  bool damaged_ = false;
};

// Calls `on_field` with each field of the type that `known` has for its number; false when the
// message is damaged or `on_field` says so.
template <typename OnField>
bool ForEachBytes(std::string_view message, uint64_t last_known, const OnField& on_field) {
  FieldCursor cursor(message);
  Field field;
  while (cursor.Next(field)) {
    if (field.number > last_known) continue;
    if (field.type != kBytes || !on_field(field)) return false;
  }
  return !cursor.damaged();
}

// Of a timestamp that nanoseconds in 64 bits cannot hold, the nearest that they can.
bool ReadTimestamp(std::string_view message, int64_t& timestamp_ns) {
  int64_t seconds = 0;
  int64_t nanos = 0;
  FieldCursor cursor(message);
  Field field;
  while (cursor.Next(field)) {
    if (field.number > 2) continue;
    if (field.type != kVarint) return false;
    (field.number == 1 ? seconds : nanos) = static_cast<int64_t>(field.value);
  }
  if (cursor.damaged() || nanos < 0 || nanos >= kNanosPerSecond) return false;
  if (__builtin_mul_overflow(seconds, kNanosPerSecond, &timestamp_ns) ||
      __builtin_add_overflow(timestamp_ns, nanos, &timestamp_ns)) {
    timestamp_ns =
        seconds < 0 ? std::numeric_limits<int64_t>::min() : std::numeric_limits<int64_t>::max();
  }
  return true;
}

class ProtobufReader {
 public:
  explicit ProtobufReader(PushedStreams& streams) : streams_(streams) {}

  Status Read(std::string_view message) {
    const bool whole = ForEachBytes(message, /*last_known=*/1, [this](const Field& field) {
      return ReadStream(field.bytes) && !streams_.too_many();
    });
    if (whole) return {};
    if (streams_.too_many()) return TooManyEntries();
    if (error_) return std::move(*error_);
    return Error{ErrorCode::kInvalid, "the protobuf message is damaged"};
  }

 private:
  bool ReadStream(std::string_view message) {
    PushedStream& stream = streams_.AddStream();
    std::string_view labels;
    const bool whole = ForEachBytes(message, /*last_known=*/2, [&](const Field& field) {
      if (field.number == 2) return ReadEntry(field.bytes, stream);
      labels = field.bytes;
      return true;
    });
    if (!whole) return false;
    auto parsed = ParseLabelText(labels);
    if (!parsed.ok()) {
      error_ = std::move(parsed).error().Wrap("couldn't parse labels");
      return false;
    }
    streams_.Count(labels.size());
    stream.labels = std::move(*parsed);
    return true;
  }

  bool ReadEntry(std::string_view message, PushedStream& stream) {
    ReceivedEntry entry;
    const bool whole = ForEachBytes(message, /*last_known=*/3, [&entry](const Field& field) {
      if (field.number == 1) return ReadTimestamp(field.bytes, entry.timestamp_ns.emplace());
      if (field.number == 2) {
        entry.line = field.bytes;
        return true;
      }
      return ReadPair(field.bytes, entry);
    });
    return whole && streams_.AddEntry(stream, std::move(entry));
  }

  static bool ReadPair(std::string_view message, ReceivedEntry& entry) {
    auto& pair = entry.metadata.emplace_back();
    return ForEachBytes(message, /*last_known=*/2, [&pair](const Field& field) {
      (field.number == 1 ? pair.first : pair.second) = field.bytes;
      return true;
    });
  }

  PushedStreams& streams_;
  std::optional<Error> error_;
};

}  // namespace

Status ParsePushProtobuf(std::string_view message, PushedStreams& streams) {
  return ProtobufReader(streams).Read(message);
}

}  // namespace agent
